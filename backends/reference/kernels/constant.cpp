#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

template <class T>
void fill(const Arguments& a, double value) {
  T* y = a.results[0].as<T>();
  for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] = static_cast<T>(value);
}

void run_constant(const ir::Node& node, const Arguments& a) {
  const double value = node.attributes.number("value");
  switch (a.results[0].type.dtype) {
    case ir::DType::f32:
      return fill<float>(a, value);
    case ir::DType::f64:
      return fill<double>(a, value);
    case ir::DType::s8:
      return fill<std::int8_t>(a, value);
    case ir::DType::u8:
      return fill<std::uint8_t>(a, value);
    case ir::DType::i32:
      return fill<std::int32_t>(a, value);
    case ir::DType::i64:
      return fill<std::int64_t>(a, value);
  }
}

}  // namespace

void constant(FunctionKernels& kernels) {
  kernels.add("constant", {run_constant});
}

}  // namespace stair::backends::reference
