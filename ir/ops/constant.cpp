#include <algorithm>
#include <cmath>

#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

constexpr std::size_t most_values = 65'536;  // they stand in the text of the graph

void check_value(const InferContext& c, DType dtype, double value) {
  const Limits limits = limits_of(dtype);
  const bool whole = value == std::floor(value) && value >= static_cast<double>(limits.low) && value <= static_cast<double>(limits.high);
  const bool fits = is_float(dtype) ? dtype == DType::f64 || std::isfinite(static_cast<float>(value)) : whole && std::abs(value) <= 0x1p53;
  c.expect(fits, "value " + std::to_string(value) + " is none that " + std::string(name_of(dtype)) + " holds");
}

std::vector<Type> infer_constant(const InferContext& c) {
  const DType dtype = dtype_named(c.attributes.text("dtype"));
  const Shape& shape = c.attributes.integers("shape");
  const std::vector<double>& values = c.attributes.numbers("values");
  check_value(c, dtype, c.attributes.number("value"));
  for (const double value : values) check_value(c, dtype, value);
  c.expect(values.empty() || c.attributes.number("value") == 0, "has a value and values, expected one of them");
  c.expect(values.size() <= most_values,
           "has " + std::to_string(values.size()) + " values, expected at most " + std::to_string(most_values));
  c.expect(values.empty() || (is_valid(shape) && values.size() == static_cast<std::size_t>(element_count(shape))),
           "has " + std::to_string(values.size()) + " values for the shape " + to_string(shape));
  return {{dtype, shape}};
}

// Within 2^53 where they are integers.
Limits limits_of_values(const Attributes& a) {
  const std::vector<double>& values = a.numbers("values");
  if (values.empty()) return {static_cast<std::int64_t>(a.number("value")), static_cast<std::int64_t>(a.number("value"))};
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  return {static_cast<std::int64_t>(*least), static_cast<std::int64_t>(*largest)};
}

}  // namespace

void constant(OpRegistry& registry) {
  registry.add({.name = "constant",
                .summary = "numbers that stand in the graph: `value` in every element, or `values` one by one",
                .operands = {},
                .results = {{.name = "y", .doc = "of the shape and element type that the attributes say", .within = limits_of_values}},
                .attributes = {{"value", "of every element; whole for integer types", 0.0},
                               {"values", "in place of it: of each element, the last dimension varying fastest", std::vector<double>{}},
                               {"shape", "dimensions", std::vector<std::int64_t>{1}},
                               {"dtype", "element type", std::string("f32"), false, {}, {"f32", "f64", "s8", "u8", "i32", "i64"}}},
                .infer = infer_constant,
                .gradient = no_gradient("has no operands"),
                .integer = no_integer_form("is known before deployment"),
                .dimensions = [](const InferContext&) { return OpSchema::Dimensions{}; },
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
