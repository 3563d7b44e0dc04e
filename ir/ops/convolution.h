#pragma once

// What convolutions on floats and on integers share.

#include <string>

#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"
#include "ir/ops/initializers.h"
#include "ir/ops/layout.h"

namespace stair::ir::ops {

/// Sizes of a window and steps of it are at most that, so that their products and sums with those of images stay within 64 bits.
inline constexpr std::int64_t largest_window = (std::int64_t{1} << 31) - 1;

/// With `more` behind them.
inline std::vector<AttributeSpec> convolution_attributes(std::vector<AttributeSpec> more = {}) {
  more.insert(more.begin(),
              {{"stride", "[height, width]", std::vector<std::int64_t>{1, 1}, false, within(1, largest_window)},
               {"padding", "[top, left, bottom, right]", std::vector<std::int64_t>{0, 0, 0, 0}, false, within(0, largest_window)},
               {"dilation", "[height, width]", std::vector<std::int64_t>{1, 1}, false, within(1, largest_window)},
               {"groups", "input and output channels fall into so many groups; as many as channels: depthwise", std::int64_t{1}, false,
                at_least(1)}});
  return more;
}

/// Those of pools, with what is said of kernel and padding, and `more`.
inline std::vector<AttributeSpec> pool_attributes(const std::string& kernel, const std::string& padding,
                                                  std::vector<AttributeSpec> more = {}) {
  more.insert(
      more.begin(),
      {{"kernel", kernel, std::vector<std::int64_t>{}, true, within(1, largest_window)},
       {"stride", "[height, width]; empty: the kernel's", std::vector<std::int64_t>{}, false, within(1, largest_window)},
       {"padding", "[top, left, bottom, right]; " + padding, std::vector<std::int64_t>{0, 0, 0, 0}, false, within(0, largest_window)}});
  return more;
}

/// Positions in the window of a pool.
inline std::int64_t window_size(const Graph&, const Node& node) {
  const std::vector<std::int64_t>& kernel = node.attributes.integers("kernel");
  return kernel[0] * kernel[1];
}

/// The stride of a window: the kernel's where none is said.
inline const std::vector<std::int64_t>& window_stride(const Attributes& attributes) {
  const std::vector<std::int64_t>& stride = attributes.integers("stride");
  return stride.empty() ? attributes.integers("kernel") : stride;
}

/// Output size along one axis (0: height, 1: width); 0 or less where the window doesn't fit.
inline std::int64_t window_output(std::int64_t in, std::int64_t kernel, const Attributes& attributes, std::size_t axis,
                                  std::int64_t dilation) {
  const std::vector<std::int64_t>& padding = attributes.integers("padding");
  const std::int64_t room = in + padding[axis] + padding[axis + 2] - (dilation * (kernel - 1) + 1);
  return room < 0 ? 0 : room / window_stride(attributes)[axis] + 1;
}

inline void expect_window_attributes(const InferContext& c) {
  for (const char* name : {"stride", "dilation", "kernel"}) {
    if (!c.attributes.has(name)) continue;
    const std::vector<std::int64_t>& v = c.attributes.integers(name);
    if (v.empty() && std::string_view(name) == "stride" && c.attributes.has("kernel")) continue;
    c.expect(v.size() == 2, std::string(name) + " is " + to_string(v) + ", expected two numbers [height, width]");
  }
  const std::vector<std::int64_t>& p = c.attributes.integers("padding");
  c.expect(p.size() == 4, "padding is " + to_string(p) + ", expected four numbers [top, left, bottom, right]");
}

/// Kernels may lay out an image x [N,C,H,W] with its padding, and walk over all of it: that is no more than four times the image, or 2^26
/// elements.
inline void expect_padding_fits(const InferContext& c, const Shape& x) {
  const std::vector<std::int64_t>& p = c.attributes.integers("padding");
  const double image = static_cast<double>(x[1]) * static_cast<double>(x[2]) * static_cast<double>(x[3]);
  const double padded = static_cast<double>(x[1]) * static_cast<double>(x[2] + p[0] + p[2]) * static_cast<double>(x[3] + p[1] + p[3]);
  c.expect(padded <= std::max(4 * image, 0x1p26), "padding is " + to_string(p) + ", which makes more than 2^26 elements of x " +
                                                      to_string(x) + " and more than four times as many");
}

/// Shape of a pooling's result, from that of the images, both in the node's layout.
inline Shape infer_pool(const InferContext& c, const Shape& images) {
  expect_window_attributes(c);
  const Shape x = image_shape(c, images);
  expect_padding_fits(c, x);
  const std::vector<std::int64_t>& kernel = c.attributes.integers("kernel");
  const std::vector<std::int64_t>& padding = c.attributes.integers("padding");
  c.expect(padding[0] < kernel[0] && padding[2] < kernel[0] && padding[1] < kernel[1] && padding[3] < kernel[1],
           "padding " + to_string(padding) + " isn't smaller than the window " + to_string(kernel));
  const std::int64_t oh = window_output(x[2], kernel[0], c.attributes, 0, 1);
  const std::int64_t ow = window_output(x[3], kernel[1], c.attributes, 1, 1);
  c.expect(oh > 0 && ow > 0, "the window " + to_string(kernel) + " doesn't fit into x " + to_string(x));
  return laid_out(c, {x[0], x[1], oh, ow});
}

/// The weight w of a convolution of x [N,C,H,W] is [O,C/groups,KH,KW].
inline void expect_window_weight(const InferContext& c, const Shape& x, const Shape& w) {
  c.expect(w.size() == 4, "weight is " + to_string(w) + ", expected [O,C/groups,KH,KW]");
  const std::int64_t groups = c.attributes.integer("groups");
  c.expect(x[1] % groups == 0 && w[0] % groups == 0, std::to_string(groups) + " groups don't divide " + std::to_string(x[1]) +
                                                         " input and " + std::to_string(w[0]) + " output channels");
  c.expect(w[1] == x[1] / groups, "x " + to_string(x) + " and weight " + to_string(w) + " don't fit: weight has " + std::to_string(w[1]) +
                                      " input channels a group, expected " + std::to_string(x[1] / groups));
}

/// Shape of a convolution's result, from those of the images, both in the node's layout, and the weight [O,C/groups,KH,KW].
inline Shape infer_convolution(const InferContext& c, const Shape& images, const Shape& w) {
  expect_window_attributes(c);
  const Shape x = image_shape(c, images);
  expect_padding_fits(c, x);
  expect_window_weight(c, x, w);
  const std::vector<std::int64_t>& dilation = c.attributes.integers("dilation");
  const std::int64_t oh = window_output(x[2], w[2], c.attributes, 0, dilation[0]);
  const std::int64_t ow = window_output(x[3], w[3], c.attributes, 1, dilation[1]);
  c.expect(oh > 0 && ow > 0, "the window " + to_string(Shape{w[2], w[3]}) + " doesn't fit into x " + to_string(x) + " with padding " +
                                 to_string(c.attributes.integers("padding")));
  return laid_out(c, {x[0], w[0], oh, ow});
}

inline std::int64_t fan_in_of_window(const Attributes& layer, const Shape& x) {
  return x[1] / layer.integer("groups") * layer.integers("kernel")[0] * layer.integers("kernel")[1];
}

/// The layer of a convolution in two dimensions: weight [O,C/groups,KH,KW] and bias [O].
inline OpSchema::Layer convolution_layer(const std::string& name) {
  return {.attributes = {{"out_channels", "output channels", std::int64_t{1}, true},
                         {"kernel", "[height, width]", std::vector<std::int64_t>{}, true},
                         {"bias", "adds a bias a channel", true}},
          .parameters = {{.operand = "weight",
                          .type = [](const Attributes& l, const Shape& x) -> Type {
                            return {
                                DType::f32,
                                {l.integer("out_channels"), x[1] / l.integer("groups"), l.integers("kernel")[0], l.integers("kernel")[1]}};
                          },
                          .initializer = [](const Attributes& l, const Shape& x) { return kaiming_uniform(fan_in_of_window(l, x)); }},
                         {.operand = "bias",
                          .type = [](const Attributes& l, const Shape&) -> Type {
                            return {DType::f32, {l.integer("out_channels")}};
                          },
                          .initializer = [](const Attributes& l, const Shape& x) { return kaiming_uniform(fan_in_of_window(l, x)); },
                          .enabled_by = "bias"}},
          .on_sequences = name.substr(0, name.size() - 2) + "1d"};
}

/// A convolution on floats: an op, which is a layer of models, and the ops NAME_grad_input and NAME_grad_weight of its gradients.
/// NAME_integer is a file of its own, or stands beside it.
struct Convolution {
  const char* name;
  const char* summary;
  const char* grad_input;  ///< summaries
  const char* grad_weight;
  std::vector<AttributeSpec> attributes;                                     ///< beside convolution_attributes()
  Shape (*infer)(const InferContext&, const Shape& x, const Shape& weight);  ///< of the result
  /// Products of the node, and as many of its gradients.
  std::int64_t (*products)(const Attributes&, const Shape& x, const Shape& weight, const Shape& y);
};

inline void add_convolution(OpRegistry& registry, const Convolution& convolution) {
  const std::string name = convolution.name;
  const std::string by_input = name + "_grad_input";
  const std::string by_weight = name + "_grad_weight";
  const OperandSpec x{"x", "[N,C,H,W]"};
  const OperandSpec weight{"weight", "[O,C/groups,KH,KW]"};
  const auto attributes = [&](const AttributeSpec& last) {
    std::vector<AttributeSpec> more = convolution.attributes;
    more.push_back(last);
    return convolution_attributes(std::move(more));
  };
  const auto shape = [](const Graph& graph, ValueId value) -> const Shape& { return graph.type(value).shape; };
  registry.add({.name = name,
                .summary = convolution.summary,
                .operands = {x, weight, {"bias", "[O]", true}},
                .results = {{"y", "[N,O,OH,OW]"}},
                .attributes = attributes(quantize_attribute()),
                .infer = [infer = convolution.infer](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  expect_type(c, 2, {c.operand(0).dtype, {c.shape(1).empty() ? 0 : c.shape(1)[0]}});
                  return {{c.operand(0).dtype, infer(c, c.shape(0), c.shape(1))}};
                },
                .deployed = true,
                .gradient = gradient([by_input, by_weight](GradientContext& g) {
                  std::vector<ValueId> gradients(g.operand_count(), absent);
                  const auto by = [&](const std::string& gradient_op, const char* attribute, std::size_t of, std::size_t other) {
                    Attributes own = attributes_for(op(gradient_op), g.attributes());
                    own.set(attribute, g.type(g.operand(of)).shape);
                    if (g.needs(of)) gradients[of] = g.emit(gradient_op, {g.gradient(), g.operand(other)}, std::move(own));
                  };
                  by(by_input, "input_shape", 0, 1);
                  by(by_weight, "weight_shape", 1, 0);
                  if (g.needs(2)) gradients[2] = g.emit("reduce_sum", {g.gradient()}, {{"axes", std::vector<std::int64_t>{0, 2, 3}}});
                  return gradients;
                }),
                .integer = accumulates(name + "_integer", 1, 2),
                .dimensions = each_image,
                .multiply_accumulates =
                    [shape, products = convolution.products](const Graph& graph, const Node& node) {
                      return products(node.attributes, shape(graph, node.operands[0]), shape(graph, node.operands[1]),
                                      shape(graph, node.results[0]));
                    },
                .layer = convolution_layer(name)});
  const auto add_gradient = [&](const std::string& gradient_op, const char* summary, const OperandSpec& other, const char* result,
                                const std::string& attribute, const char* doc) {
    const bool of_x = gradient_op == by_input;
    registry.add(of_backward({.name = gradient_op,
                              .summary = summary,
                              .operands = {{"dy", "[N,O,OH,OW]"}, other},
                              .results = {{result, "of " + attribute}},
                              .attributes = attributes({attribute, doc, std::vector<std::int64_t>{}, true}),
                              .infer = [of_x, attribute, infer = convolution.infer](const InferContext& c) -> std::vector<Type> {
                                same_as_first_float(c);
                                expect_dtype(c, 1, c.operand(0).dtype);
                                const Shape& made = shape_attribute(c, attribute);
                                expect_type(c, 0, {c.operand(0).dtype, of_x ? infer(c, made, c.shape(1)) : infer(c, c.shape(1), made)});
                                return {{c.operand(0).dtype, made}};
                              },
                              .multiply_accumulates =
                                  [of_x, shape, products = convolution.products](const Graph& graph, const Node& node) {
                                    const Shape& read = shape(graph, node.operands[1]);
                                    const Shape& made = shape(graph, node.results[0]);
                                    return products(node.attributes, of_x ? made : read, of_x ? read : made,
                                                    shape(graph, node.operands[0]));
                                  }}));
  };
  add_gradient(by_input, convolution.grad_input, weight, "dx", "input_shape", "of x");
  add_gradient(by_weight, convolution.grad_weight, x, "dw", "weight_shape", "of the weight");
}

}  // namespace stair::ir::ops
