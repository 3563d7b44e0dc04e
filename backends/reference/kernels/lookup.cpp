#include "backends/reference/kernel.h"
#include "ir/numerics.h"
#include "ir/scalar_functions.h"

namespace stair::backends::reference {
namespace {

// N-POINT of one operand, for every integer that it can hold.
void run_tabulate(const ir::Node& node, const Arguments& a) {
  const ir::ScalarFunction& function = ir::scalar_function(node.attributes.text("function"));
  const std::vector<double>& parameters = node.attributes.numbers("parameters");
  const float first_parameter = parameters.empty() ? 0.0F : static_cast<float>(parameters[0]);
  const float second_parameter = parameters.size() < 2 ? 0.0F : static_cast<float>(parameters[1]);
  const float x_scale = *a.operands[0].as<float>();
  const std::int32_t x_zero_point = *a.operands[1].as<std::int32_t>();
  const float y_scale = *a.operands[2].as<float>();
  const std::int32_t y_zero_point = *a.operands[3].as<std::int32_t>();
  const ir::Range range = range_of(node);
  const std::int32_t first = node.attributes.integer("x_lo") < 0 ? -128 : 0;
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    for (std::int32_t i = 0; i < 256; ++i) {
      const float x = ir::dequantize(first + i, x_scale, x_zero_point);
      a.results[0].as<Q>()[i] = static_cast<Q>(ir::quantize(function(x, first_parameter, second_parameter), y_scale, y_zero_point, range));
    }
  });
}

void run_lookup(const ir::Node&, const Arguments& a) {
  const auto* table = a.operands[1].as<std::uint8_t>();
  auto* y = a.results[0].as<std::uint8_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* q = a.operands[0].as<Q>();
    const int offset = std::is_signed_v<Q> ? 128 : 0;
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] = table[q[i] + offset];
  });
}

}  // namespace

void lookup(FunctionKernels& kernels) {
  kernels.add("tabulate", {run_tabulate});
  kernels.add("lookup", {run_lookup});
}

}  // namespace stair::backends::reference
