#pragma once

#include <algorithm>
#include <string>

#include "ir/integer_rows.h"
#include "ir/ops/initializers.h"
#include "ir/ops/normalization.h"

namespace stair::ir::ops {

// What the ops share that normalize each example by its own statistics, and then have a factor and a shift: layer_norm, group_norm,
// instance_norm (N-NORM).

inline std::vector<AttributeSpec> row_norm_attributes(std::vector<AttributeSpec> more) {
  more.push_back({"eps", "added to the variance", 1e-5, false, above(0)});
  return more;
}

inline AttributeSpec row_norm_axis() {
  return {"axis", "the first of the dimensions that are normalized over, up to the last; negative counts from the end", std::int64_t{-1}};
}
inline AttributeSpec row_norm_groups() {
  return {"groups", "of channels, equally many in each", std::int64_t{1}, true, at_least(1)};
}

/// Dimensions of x from the attribute `axis` on.
inline Shape row_norm_suffix(const InferContext& c) {
  return {c.shape(0).begin() + static_cast<std::ptrdiff_t>(axis_of(c, c.shape(0).size())), c.shape(0).end()};
}
/// [C], where x is [N, C, ...] with channels in so many groups.
inline Shape row_norm_channels(const InferContext& c, std::int64_t groups) {
  const Shape& x = c.shape(0);
  expect_operand(c, 0, x.size() >= 2, "[N,C,...]");
  c.expect(x[1] % groups == 0, std::to_string(x[1]) + " channels in " + std::to_string(groups) + " groups, expected equally many in each");
  return {x[1]};
}

/// One of these ops. The rows that it normalizes are `rows` of x in equal parts: of each example so many groups.
struct RowNorm {
  std::string name, summary;
  std::vector<AttributeSpec> attributes;                                 ///< but for eps
  std::function<Shape(const InferContext&)> parameters;                  ///< the shape of gamma and beta; checks x and the attributes
  std::function<std::int64_t(const Attributes&, const Shape& x)> count;  ///< elements of a row
  std::string integer_op;
  std::function<Attributes(const Attributes&, const Shape& x)> integer_attributes;
  std::function<Shape(const Attributes&, const Shape& x)> layer_parameters;  ///< the same shape, for a layer; of any x
  std::function<Dimensions(const InferContext&)> dimensions;
};

/// x, then gamma and beta of one shape.
inline std::vector<Type> infer_row_norm(const InferContext& c, const Shape& parameters, std::size_t first) {
  same_as_first_float(c);
  for (std::size_t i = 1; i < c.operands.size(); ++i) expect_type(c, i, i < first ? c.operand(0) : Type{c.operand(0).dtype, parameters});
  return {c.operand(0)};
}

inline IntegerForm row_norm_integers(const RowNorm& norm) {
  return integer_rows("N-NORM", [norm](const RewriteContext& c, const Simulated& x, const Simulated& y) -> ValueId {
    const Shape& shape = c.graph.type(x.q).shape;
    const std::int64_t count = norm.count(c.node.attributes, shape);
    if (count > norm_most) return absent;
    Attributes attributes = norm.integer_attributes(c.node.attributes, shape);
    attributes.set("lo", y.lo);
    attributes.set("hi", y.hi);
    std::vector<ValueId> operands = c.emit_all("norm_parameters", {c.operands[1], c.operands[2], x.scale, y.scale}, "parameters",
                                               {{"eps", c.node.attributes.at("eps")}, {"count", count}});
    operands.insert(operands.begin(), x.q);
    operands.push_back(y.zero_point);
    return c.emit(norm.integer_op, std::move(operands), "q", std::move(attributes));
  });
}

/// Adds the op, a layer of models too, and its gradient op.
inline void add_row_norm(OpRegistry& registry, const RowNorm& norm) {
  const auto parameter = [&](const char* operand, double value) -> OpSchema::Layer::Parameter {
    return {.operand = operand,
            .role = StateRole::parameter,
            .type = [shape = norm.layer_parameters](const Attributes& layer, const Shape& x) -> Type {
              return {DType::f32, shape(layer, x)};
            },
            .initializer = [value](const Attributes&, const Shape&) { return constant_initializer(value); }};
  };
  const std::string gradient_op = norm.name + "_grad";
  registry.add({.name = norm.name,
                .summary = norm.summary,
                .operands = {{"x", "any floats"}, {"gamma", "factors"}, {"beta", "shifts, of the shape of gamma"}},
                .results = {{"y", "of the type of x"}},
                .attributes = row_norm_attributes(norm.attributes),
                .infer = [of = norm.parameters](const InferContext& c) { return infer_row_norm(c, of(c), 1); },
                .deployed = true,
                .gradient = gradient([gradient_op](GradientContext& g) -> std::vector<ValueId> {
                  return g.emit_all(gradient_op, {g.gradient(), g.operand(0), g.operand(1)}, g.attributes());
                }),
                .integer = row_norm_integers(norm),
                .dimensions = norm.dimensions,
                .layer = OpSchema::Layer{.parameters = {parameter("gamma", 1), parameter("beta", 0)}}});
  registry.add(of_backward({.name = gradient_op,
                            .summary = "gradients of " + norm.name + ", through the statistics",
                            .operands = {{"dy", "gradient by y"}, {"x", "its operand"}, {"gamma", "its factors"}},
                            .results = {{"dx", "of the type of x"}, {"dgamma", "of that of gamma"}, {"dbeta", "of that of gamma"}},
                            .attributes = row_norm_attributes(norm.attributes),
                            .infer = [of = norm.parameters](const InferContext& c) -> std::vector<Type> {
                              infer_row_norm(c, of(c), 2);
                              return {c.operand(0), c.operand(2), c.operand(2)};
                            }}));
}

/// Adds the op that does it on integers, with the shape of gamma and beta, and the elements of a row.
inline void add_row_norm_integer(OpRegistry& registry, const char* name, const char* summary, AttributeSpec attribute,
                                 Shape (*parameters)(const InferContext&), std::int64_t (*count)(const Attributes&, const Shape& x)) {
  registry.add(on_integers({.name = name,
                            .summary = summary,
                            .operands = {{"q", "u8 or s8"},
                                         {"gamma", "g, i32: steps of the result, times 2^k"},
                                         {"beta", "b, i32, of the shape of gamma, in the same units"},
                                         {"k", "i32[1]"},
                                         {"mantissa", "i32[1], of eps"},
                                         {"shift", "i32[1]"},
                                         {"zero_point", "z, i32[1]"}},
                            .results = {quantized_result("y")},
                            .attributes = range_attributes({std::move(attribute)}),
                            .infer = [parameters, count](const InferContext& c) -> std::vector<Type> {
                              expect_quantized(c, 0);
                              const Type of_channels{DType::i32, parameters(c)};
                              for (const std::size_t i : {1U, 2U}) expect_type(c, i, of_channels);
                              for (const std::size_t i : {3U, 4U, 5U}) expect_type(c, i, {DType::i32, {1}});
                              expect_zero_point(c, 6);
                              const std::int64_t n = count(c.attributes, c.shape(0));
                              c.expect(n <= norm_most, "means over " + std::to_string(n) + " elements, expected at most 8388608");
                              return {{quantized_dtype(c), c.shape(0)}};
                            },
                            .check_data =
                                [](const DataContext& c) {
                                  for (const std::size_t i : {1U, 2U}) c.expect_limits(i, -norm_parameter_most, norm_parameter_most);
                                  c.expect_limits(3, 0, norm_parameter_bits);
                                  check_multipliers(c, 4);
                                  check_quantizer(c, 6);
                                },
                            .deployed = true}));
}

inline std::int64_t layer_norm_count(const Attributes& attributes, const Shape& x) {
  const std::int64_t axis = attributes.integer("axis");
  return element_count(Shape(x.begin() + (axis < 0 ? axis + static_cast<std::ptrdiff_t>(x.size()) : axis), x.end()));
}
inline std::int64_t group_norm_count(const Attributes& attributes, const Shape& x) {
  return element_count(x) / (x[0] * attributes.integer("groups"));
}
inline Shape group_norm_channels(const InferContext& c) {
  return row_norm_channels(c, c.attributes.integer("groups"));
}
/// Of a layer that x may not suit, which the op's inference says.
inline Shape second_dimension(const Attributes&, const Shape& x) {
  return {x.size() < 2 ? 1 : x[1]};
}

}  // namespace stair::ir::ops
