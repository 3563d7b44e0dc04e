#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_constant(const ir::Node& node, const Arguments& a) {
  const double value = node.attributes.number("value");
  const std::vector<double>& values = node.attributes.numbers("values");
  ir::with_element_type(a.results[0].type.dtype, [&]<class T>(T) {
    T* y = a.results[0].as<T>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i)
      y[i] = static_cast<T>(values.empty() ? value : values[static_cast<std::size_t>(i)]);
  });
}

}  // namespace

void constant(FunctionKernels& kernels) {
  kernels.add("constant", {run_constant});
}

}  // namespace stair::backends::reference
