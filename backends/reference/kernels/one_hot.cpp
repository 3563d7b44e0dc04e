#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_one_hot(const ir::Node&, const Arguments& a) {
  const std::int64_t classes = a.results[0].dim(1);
  for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
    a.results[0].as<float>()[i] = i % classes == a.operands[0].as<std::int32_t>()[i / classes] ? 1.0F : 0.0F;
  }
}

}  // namespace

void one_hot(FunctionKernels& kernels) {
  kernels.add("one_hot", {run_one_hot});
}

}  // namespace stair::backends::reference
