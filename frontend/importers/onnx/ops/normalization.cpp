#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

Parameters of_channels(const NodeContext& c, std::int64_t channels, std::initializer_list<const char*> operands) {
  Parameters parameters;
  std::size_t i = 1;
  for (const char* operand : operands) {
    const Constant& given = c.constant(i, operand);
    c.expect(given.count() == channels,
             fmt::format("its input '{}' is {}, of {} channels", c.node.inputs[i], ir::to_string(given.shape), channels));
    parameters[operand] = to_tensor(given, {channels});
    ++i;
  }
  return parameters;
}

void expect_channels(const NodeContext& c, const Value& x) {
  c.expect(c.lead == 0 && x.shape.size() >= 2,
           fmt::format("reads {}, expected examples along dimension 0 and channels along dimension 1", ir::to_string(x.shape)));
}

void import_batch_norm(NodeContext& c) {
  Value x = c.floats(0);
  expect_channels(c, x);
  c.ignore({"is_test", "consumed_inputs"});  // of old files
  c.expect(c.integer("training_mode", 0) == 0, "its training_mode is 1, expected a model for inference");
  c.expect(c.integer("spatial", 1) == 1, "its attribute 'spatial' is 0, expected statistics a channel");
  // A share of 0 can't be had: then the share is the default.
  const double share = 1 - c.real("momentum", 0.9);
  ir::Attributes attributes{{"eps", c.real("epsilon", 1e-5)}, {"momentum", share > 0 && share <= 1 ? std::round(share * 1e6) / 1e6 : 0.1}};
  if (attributes.number("momentum") <= 0) attributes.set("momentum", 0.1);
  const ir::Shape shape = x.shape;
  if (shape.size() > 4) {  // more sides than an image has are one row of it
    const std::int64_t rest = std::accumulate(shape.begin() + 3, shape.end(), std::int64_t{1}, std::multiplies<>());
    x = c.emit_reshape(x, {shape[0], shape[1], shape[2], rest}, "image");
  }
  Value y = c.emit("batch_norm", {x}, std::move(attributes), of_channels(c, shape[1], {"gamma", "beta", "mean", "var"}),
                   shape.size() > 4 ? "image" : "");
  c.yield(c.emit_reshape(y, shape));
}

void import_instance_norm(NodeContext& c) {
  const Value x = c.floats(0);
  expect_channels(c, x);
  c.yield(c.emit("instance_norm", {x}, {{"eps", c.real("epsilon", 1e-5)}}, of_channels(c, x.shape[1], {"gamma", "beta"})));
}

// Scale and bias are of groups before opset 21, and of channels from it on.
void import_group_norm(NodeContext& c) {
  const Value x = c.floats(0);
  expect_channels(c, x);
  c.ignore({"stash_type"});
  const std::int64_t groups = c.integer("num_groups", 0);
  const std::int64_t channels = x.shape[1];
  c.expect(groups >= 1 && channels % groups == 0, fmt::format("has {} groups of {} channels", groups, channels));
  Parameters parameters;
  for (const auto& [operand, i] : {std::pair<const char*, std::size_t>{"gamma", 1}, {"beta", 2}}) {
    const Constant& given = c.constant(i, operand);
    c.expect(given.count() == channels || given.count() == groups,
             fmt::format("its input '{}' is {}, of {} channels", c.node.inputs[i], ir::to_string(given.shape), channels));
    const std::int64_t each = given.count() == channels ? 1 : channels / groups;
    parameters[operand] = to_tensor(rearranged(given, {channels}, [each](std::int64_t k) { return k / each; }), {channels});
  }
  c.yield(c.emit("group_norm", {x}, {{"groups", groups}, {"eps", c.real("epsilon", 1e-5)}}, std::move(parameters)));
}

void import_layer_norm(NodeContext& c) {
  const Value x = c.floats(0);
  c.ignore({"stash_type"});
  const std::int64_t axis = c.axis(c.integer("axis", -1), x.shape.size());
  const ir::Shape shape(x.shape.begin() + axis, x.shape.end());
  Parameters parameters;
  parameters["gamma"] = to_tensor(broadcast_to(c.constant(1, "Scale"), shape), shape);
  parameters["beta"] = to_tensor(c.has(2) ? broadcast_to(c.constant(2, "B"), shape) : zeros(ElementType::f32, shape), shape);
  const std::int64_t from_end = axis - static_cast<std::int64_t>(x.shape.size());
  const double eps = c.real("epsilon", 1e-5);
  c.yield(c.emit("layer_norm", {x}, {{"axis", from_end}, {"eps", eps}}, std::move(parameters)));
  if (c.node.outputs.size() < 2) return;
  // The mean, and 1 / sqrt(variance + eps).
  std::vector<std::int64_t> axes;
  for (auto d = axis; d < static_cast<std::int64_t>(x.shape.size()); ++d) axes.push_back(c.layer_axis(d));
  const ir::Attributes over{{"axes", axes}, {"keep", true}};
  const Value mean = c.emit("reduce_mean", {x}, over, {}, "mean");
  c.yield(mean, 1);
  const Value squares = c.emit("square", {emit_binary(c, "sub", x, mean, "centred")}, {}, {}, "squares");
  const Value variance = c.emit("reduce_mean", {squares}, over, {}, "variance");
  const Value deviation = c.emit("sqrt", {emit_binary(c, "add", variance, c.emit_number(eps, "eps"), "sum")}, {}, {}, "deviation");
  c.yield(emit_binary(c, "div", c.emit_number(1, "one"), deviation, "inverse"), 2);
}

}  // namespace

void normalization(OperatorRegistry& registry) {
  registry.add({"BatchNormalization", "`batch_norm`, not folded: it can be trained. A momentum of 1 becomes the layer's default",
                import_batch_norm});
  registry.add({"InstanceNormalization", "`instance_norm`", import_instance_norm});
  registry.add({"GroupNormalization", "`group_norm`", import_group_norm});
  registry.add({"LayerNormalization", "`layer_norm`; its mean and deviation by `reduce_mean` and others", import_layer_norm});
}

}  // namespace stair::frontend::onnx::ops
