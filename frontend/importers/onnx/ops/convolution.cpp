#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "frontend/importers/onnx/window.h"

namespace stair::frontend::onnx::ops {
namespace {

std::int64_t product_of(const std::vector<std::int64_t>& list) {
  return std::accumulate(list.begin(), list.end(), std::int64_t{1}, std::multiplies<>());
}

// The layer's weights and bias, of weights that have the output channels first.
Value emit_convolution(NodeContext& c, const Window& window, const std::string& layer, const Constant& weight, std::int64_t groups,
                       ir::Attributes attributes) {
  const std::int64_t channels = weight.shape[0];
  ir::Shape shape = weight.shape;
  if (shape.size() == 3) shape.insert(shape.begin() + 2, 1);  // a sequence is an image of height 1
  Parameters parameters;
  parameters["weight"] = to_tensor(weight, shape);
  const bool has_bias = c.has(2);
  if (has_bias) {
    const Constant& bias = c.constant(2, "B");
    c.expect(bias.count() == channels, fmt::format("its bias is {}, expected {} elements", ir::to_string(bias.shape), channels));
    parameters["bias"] = to_tensor(bias, {channels});
  }
  attributes.set("out_channels", channels);
  attributes.set("kernel", window.kernel);
  attributes.set("stride", window.stride);
  attributes.set("padding", window.padding());
  attributes.set("dilation", window.dilation);
  attributes.set("groups", groups);
  attributes.set("bias", has_bias);
  return c.emit(layer, {c.floats(0)}, std::move(attributes), std::move(parameters));
}

const Constant& weight_of(const NodeContext& c, const ir::Shape& x, std::int64_t groups) {
  const Constant& weight = c.constant(1, "W");
  expect_images(c, x);
  c.expect(weight.is_real() && weight.shape.size() == x.size() && weight.count() > 0,
           fmt::format("its weights are {} {}, expected floats for x {}", to_string(weight.type), ir::to_string(weight.shape),
                       ir::to_string(x)));
  c.expect(groups >= 1 && weight.shape[0] % groups == 0 && x[1] % groups == 0,
           fmt::format("it has {} groups, of weights {} and x {}", groups, ir::to_string(weight.shape), ir::to_string(x)));
  return weight;
}

void import_conv(NodeContext& c) {
  const ir::Shape& x = c.input(0).shape;
  const std::int64_t groups = c.integer("group", 1);
  const Constant& weight = weight_of(c, x, groups);
  const Window window = read_window(c, x, {weight.shape.begin() + 2, weight.shape.end()}, false);
  c.yield(emit_convolution(c, window, window.layer("conv2d", "conv1d"), weight, groups, {}));
}

// Weights [C,O/groups,...] as [O,C/groups,...].
Constant output_channels_first(const Constant& weight, std::int64_t groups) {
  const std::int64_t in = weight.shape[0] / groups;
  const std::int64_t out = weight.shape[1];
  const std::int64_t window = product_of({weight.shape.begin() + 2, weight.shape.end()});
  ir::Shape shape = weight.shape;
  shape[0] = out * groups;
  shape[1] = in;
  return rearranged(weight, shape, [=](std::int64_t i) {
    const std::int64_t o = i / window / in;
    return ((o / out * in + i / window % in) * out + o % out) * window + i % window;
  });
}

void import_conv_transpose(NodeContext& c) {
  const ir::Shape x = c.input(0).shape;
  const std::int64_t groups = c.integer("group", 1);
  const Constant& weight = weight_of(c, x, groups);
  const std::string automatic = c.text("auto_pad", "NOTSET");
  Window window = read_window(c, x, {weight.shape.begin() + 2, weight.shape.end()}, false);
  const std::size_t sides = x.size() - 2;
  std::vector<std::int64_t> more = c.integer_list("output_padding", std::vector<std::int64_t>(sides, 0));
  std::vector<std::int64_t> size = c.integer_list("output_shape");
  c.expect(more.size() == sides && (size.empty() || size.size() == sides || size.size() == sides + 2),
           fmt::format("its output_padding is {} and its output_shape {}, expected {} numbers", ir::to_string(more), ir::to_string(size),
                       sides));
  for (const std::vector<std::int64_t>* each : {&more, &size}) {
    c.expect(std::all_of(each->begin(), each->end(), [](std::int64_t n) { return n >= 0 && n <= 1 << 24; }),
             fmt::format("its output_padding is {} and its output_shape {}", ir::to_string(more), ir::to_string(size)));
  }
  if (size.size() == sides + 2) size.erase(size.begin(), size.begin() + 2);
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  for (std::size_t d = 0; d < sides && (same || !size.empty()); ++d) {
    const std::int64_t wanted = size.empty() ? x[2 + d] * window.stride[d] : size[d];
    const std::int64_t full = (x[2 + d] - 1) * window.stride[d] + window.dilation[d] * (window.kernel[d] - 1) + 1 + more[d];
    const std::int64_t all = full - wanted;
    if (all < 0) {  // more than the kernels reach: zeros behind
      more[d] -= all;
      window.begin[d] = window.end[d] = 0;
    } else {
      window.begin[d] = automatic == "SAME_UPPER" ? all / 2 : all - all / 2;
      window.end[d] = all - window.begin[d];
    }
  }
  c.yield(emit_convolution(c, window, window.layer("conv_transpose2d", "conv_transpose1d"), output_channels_first(weight, groups), groups,
                           {{"output_padding", more}}));
}

}  // namespace

void convolution(OperatorRegistry& registry) {
  registry.add({"Conv", "`conv2d`, `conv1d`; weights are constants", import_conv});
  registry.add({"ConvTranspose", "`conv_transpose2d`, `conv_transpose1d`", import_conv_transpose});
}

}  // namespace stair::frontend::onnx::ops
