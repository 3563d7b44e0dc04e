#include <cmath>

#include "ir/ops/common.h"

namespace stair::ir::ops {

void constant(OpRegistry& registry) {
  registry.add({.name = "constant",
                .summary = "every element is `value`",
                .operands = {},
                .results = {{.name = "y",
                             .doc = "of the shape and element type that the attributes say",
                             .within =
                                 [](const Attributes& a) {
                                   const auto value = static_cast<std::int64_t>(a.number("value"));  // within 2^53 where it is an integer
                                   return Limits{value, value};
                                 }}},
                .attributes = {{"value", "the number; whole for integer types", 0.0},
                               {"shape", "dimensions", std::vector<std::int64_t>{1}},
                               {"dtype", "element type", std::string("f32"), false, {}, {"f32", "f64", "s8", "u8", "i32", "i64"}}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  const DType dtype = dtype_named(c.attributes.text("dtype"));
                  const double value = c.attributes.number("value");
                  const Limits limits = limits_of(dtype);
                  c.expect(is_float(dtype) || (value == std::floor(value) && value >= static_cast<double>(limits.low) &&
                                               value <= static_cast<double>(limits.high) && std::abs(value) <= 0x1p53),
                           "value " + std::to_string(value) + " is none that " + std::string(name_of(dtype)) + " holds");
                  return {{dtype, c.attributes.integers("shape")}};
                },
                .gradient = no_gradient("has no operands"),
                .integer = no_integer_form("is known before deployment")});
}

}  // namespace stair::ir::ops
