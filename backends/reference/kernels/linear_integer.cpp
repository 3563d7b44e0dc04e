#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// N-ACC
void run_linear_integer(const ir::Node&, const Arguments& a) {
  const std::int64_t k = a.operands[1].dim(1);
  const std::int64_t outputs = a.operands[1].dim(0);
  const std::int64_t rows = a.operands[0].count() / k;
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* x = a.operands[0].as<Q>();
    const auto* w = a.operands[1].as<std::int8_t>();
    auto* acc = a.results[0].as<std::int32_t>();
    parallel_for(rows, a.threads, [&](std::int64_t row, int) {
      for (std::int64_t o = 0; o < outputs; ++o) {
        std::int32_t sum = 0;
        for (std::int64_t i = 0; i < k; ++i) sum += (x[row * k + i] - zero_point) * w[o * k + i];
        acc[row * outputs + o] = sum;
      }
    });
  });
}

}  // namespace

void linear_integer(FunctionKernels& kernels) {
  kernels.add("linear_integer", {run_linear_integer});
}

}  // namespace stair::backends::reference
