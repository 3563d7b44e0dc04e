#include <algorithm>
#include <cmath>

#include "frontend/exporters/onnx/requantizing.h"
#include "ir/op.h"

// Layers that compute in float.

namespace stair::frontend::to_onnx::ops {
namespace {

using ir::Node;

std::string x_of(Emitter& emit, const Node& node) {
  return emit(node.operands[0]);
}

bool makes_integers(const Emitter& emit) {
  const std::vector<Node>& nodes = emit.graph().nodes();
  return std::any_of(nodes.begin(), nodes.end(),
                     [&](const Node& node) { return !ir::is_float(emit.graph().type(node.results.front()).dtype); });
}

// Neither the order of a sum nor the last bit of exp, tanh and erf is laid down, by ONNX or by us. That matters where integers are made of
// them, in a quantized model.
void isnt_laid_down(Emitter& emit, const Node& node) {
  if (!makes_integers(emit)) return;
  const std::vector<ir::Output>& outputs = emit.graph().outputs();
  const bool last = std::any_of(outputs.begin(), outputs.end(), [&](const ir::Output& output) { return output.value == node.results[0]; });
  emit.differs(node, std::string("computes in float what has no bits of its own: a sum in any order, or a function of the machine") +
                         (last ? "; as an output it is of integers with the recipe's quantize_output" : ""));
}

template <class Write>
Operator op(const std::string& name, Write write) {
  return {name,
          [write](Emitter& emit, const Node& node) { emit.yields(node.results[0], write(emit, node, emit.wanted(node.results[0]))); }};
}

// An operator of all operands, without attributes.
Operator like(const std::string& name, const std::string& onnx) {
  return op(name, [onnx](Emitter& emit, const Node& node, const std::string& wanted) {
    std::vector<std::string> operands;
    for (const ir::ValueId operand : node.operands) operands.push_back(emit(operand));
    return emit.add(onnx, operands, {}, wanted);
  });
}

// The same with the numbers that the node's attributes say.
Operator like(const std::string& name, const std::string& onnx, const std::string& attribute, const std::string& in_onnx) {
  return op(name, [=](Emitter& emit, const Node& node, const std::string& wanted) {
    return emit.add(onnx, {x_of(emit, node)}, {real(in_onnx, static_cast<float>(node.attributes.number(attribute)))}, wanted);
  });
}

Operator inexact(const Operator& its) {
  return {its.name, [emit_it = its.emit](Emitter& emit, const Node& node) {
            isnt_laid_down(emit, node);
            emit_it(emit, node);
          }};
}

std::string write_conv2d(Emitter& emit, const Node& node, const std::string& wanted) {
  const ir::Shape& weight = emit.graph().type(node.operands[1]).shape;
  std::vector<std::string> inputs{x_of(emit, node), emit(node.operands[1])};
  if (node.operand(2) != ir::absent) inputs.push_back(emit(node.operands[2]));
  return emit.add("Conv", inputs, window_of(node, {weight[2], weight[3]}), wanted);
}

std::string write_linear(Emitter& emit, const Node& node, const std::string& wanted) {
  const bool biased = node.operand(2) != ir::absent;
  if (emit.graph().type(node.operands[0]).shape.size() == 2) {
    std::vector<std::string> inputs{x_of(emit, node), emit(node.operands[1])};
    if (biased) inputs.push_back(emit(node.operands[2]));
    return emit.add("Gemm", inputs, {integer("transB", 1)}, wanted);
  }
  const std::string weight = emit.add("Transpose", {emit(node.operands[1])}, {integers("perm", {1, 0})});
  const std::string y = emit.add("MatMul", {x_of(emit, node), weight}, {}, biased ? "" : wanted);
  return biased ? emit.add("Add", {y, emit(node.operands[2])}, {}, wanted) : y;
}

std::string write_matmul(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string a = matrix(emit, node.operands[0], node.attributes.boolean("transpose_a"));
  return emit.add("MatMul", {a, matrix(emit, node.operands[1], node.attributes.boolean("transpose_b"))}, {}, wanted);
}

std::string average(Emitter& emit, const Node& node, const std::string& wanted, bool with_padding) {
  std::vector<Attribute> window = window_of(node, node.attributes.integers("kernel"));
  window.push_back(integer("count_include_pad", with_padding ? 1 : 0));
  return emit.add("AveragePool", {x_of(emit, node)}, window, wanted);
}
std::string write_avg_pool(Emitter& emit, const Node& node, const std::string& wanted) {
  return average(emit, node, wanted, true);
}
std::string write_avg_pool_inside(Emitter& emit, const Node& node, const std::string& wanted) {
  return average(emit, node, wanted, false);
}
std::string write_global_avg_pool(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("GlobalAveragePool", {x_of(emit, node)}, {}, wanted);
}

std::string write_reduce_sum(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::vector<std::int64_t>& axes = node.attributes.integers("axes");
  return emit.add("ReduceSum", {x_of(emit, node), emit.integers(Element::i64, axes, {static_cast<std::int64_t>(axes.size())})},
                  {integer("keepdims", node.attributes.boolean("keep") ? 1 : 0)}, wanted);
}
std::string write_reduce_mean(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("ReduceMean", {x_of(emit, node)},
                  {integers("axes", node.attributes.integers("axes")), integer("keepdims", node.attributes.boolean("keep") ? 1 : 0)},
                  wanted);
}

std::string write_softmax(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("Softmax", {x_of(emit, node)}, {integer("axis", node.attributes.integer("axis"))}, wanted);
}
std::string write_log_softmax(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("LogSoftmax", {x_of(emit, node)}, {integer("axis", node.attributes.integer("axis"))}, wanted);
}

std::string write_layer_norm(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("LayerNormalization", {x_of(emit, node), emit(node.operands[1]), emit(node.operands[2])},
                  {integer("axis", node.attributes.integer("axis")), real("epsilon", static_cast<float>(node.attributes.number("eps")))},
                  wanted);
}
std::string write_instance_norm(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("InstanceNormalization", {x_of(emit, node), emit(node.operands[1]), emit(node.operands[2])},
                  {real("epsilon", static_cast<float>(node.attributes.number("eps")))}, wanted);
}

// (x − mean) · k + beta, each operation rounded.
std::string batch_norm_in_order(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::size_t rank = emit.graph().type(node.operands[0]).shape.size();
  const auto channels = [&](const std::vector<float>& its) { return emit.floats(its, along(its.size(), 1, rank)); };
  const auto eps = static_cast<float>(node.attributes.number("eps"));
  std::vector<float> factor = emit.floats(node.operands[1]);
  const std::vector<float> var = emit.floats(node.operands[4]);
  for (std::size_t c = 0; c < factor.size(); ++c) factor[c] /= std::sqrt(var[c] + eps);
  const std::string centred = emit.add("Sub", {x_of(emit, node), channels(emit.floats(node.operands[3]))});
  return emit.add("Add", {emit.add("Mul", {centred, channels(factor)}), channels(emit.floats(node.operands[2]))}, {}, wanted);
}

std::string write_batch_norm(Emitter& emit, const Node& node, const std::string& wanted) {
  if (makes_integers(emit)) return batch_norm_in_order(emit, node, wanted);
  std::vector<std::string> operands;
  for (const ir::ValueId operand : node.operands) operands.push_back(emit(operand));
  return emit.add("BatchNormalization", operands, {real("epsilon", static_cast<float>(node.attributes.number("eps")))}, wanted);
}

std::string write_channel_affine(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::size_t rank = emit.graph().type(node.operands[0]).shape.size();
  const auto channels = [&](std::size_t i) {
    const std::vector<float> its = emit.floats(node.operands[i]);
    return emit.floats(its, along(its.size(), 1, rank));
  };
  const bool shifts = node.operand(2) != ir::absent;
  std::string y = x_of(emit, node);
  if (node.operand(1) != ir::absent) y = emit.add("Mul", {y, channels(1)}, {}, shifts ? "" : wanted);
  return shifts ? emit.add("Add", {y, channels(2)}, {}, wanted) : y;
}

std::string limited(Emitter& emit, const std::string& x, float low, float high, const std::string& wanted) {
  return emit.add("Clip", {x, emit.scalar(low), emit.scalar(high)}, {}, wanted);
}
std::string write_relu6(Emitter& emit, const Node& node, const std::string& wanted) {
  return limited(emit, x_of(emit, node), 0, 6, wanted);
}
std::string write_clip(Emitter& emit, const Node& node, const std::string& wanted) {
  return limited(emit, x_of(emit, node), static_cast<float>(node.attributes.number("low")),
                 static_cast<float>(node.attributes.number("high")), wanted);
}
std::string six_from_three(Emitter& emit, const std::string& x) {
  return limited(emit, emit.add("Add", {x, emit.scalar(3.0F)}), 0, 6, "");
}
std::string write_hard_sigmoid(Emitter& emit, const Node& node, const std::string& wanted) {
  return emit.add("Div", {six_from_three(emit, x_of(emit, node)), emit.scalar(6.0F)}, {}, wanted);
}
std::string write_hard_swish(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string x = x_of(emit, node);
  return emit.add("Div", {emit.add("Mul", {x, six_from_three(emit, x)}), emit.scalar(6.0F)}, {}, wanted);
}
std::string write_gelu(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string x = x_of(emit, node);
  const std::string cumulative = emit.add("Add", {emit.add("Erf", {emit.add("Mul", {x, emit.scalar(0.70710678F)})}), emit.scalar(1.0F)});
  return emit.add("Mul", {emit.add("Mul", {x, emit.scalar(0.5F)}), cumulative}, {}, wanted);
}
std::string write_silu(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string x = x_of(emit, node);
  return emit.add("Mul", {x, emit.add("Sigmoid", {x})}, {}, wanted);
}
std::string write_mish(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string x = x_of(emit, node);
  return emit.add("Mul", {x, emit.add("Tanh", {emit.add("Softplus", {x})})}, {}, wanted);
}
std::string write_square(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::string x = x_of(emit, node);
  return emit.add("Mul", {x, x}, {}, wanted);
}
std::string write_prelu(Emitter& emit, const Node& node, const std::string& wanted) {
  const std::vector<float> slope = emit.floats(node.operands[1]);
  const std::size_t rank = emit.graph().type(node.operands[0]).shape.size();
  return emit.add("PRelu", {x_of(emit, node), emit.floats(slope, along(slope.size(), 1, rank))}, {}, wanted);
}
std::string write_resize(Emitter& emit, const Node& node, const std::string& wanted) {
  const ir::Shape& x = emit.graph().type(node.operands[0]).shape;
  const std::vector<std::int64_t>& size = node.attributes.integers("size");
  const std::string scales = emit.floats(
      {1, 1, static_cast<float>(size[0]) / static_cast<float>(x[2]), static_cast<float>(size[1]) / static_cast<float>(x[3])}, {4});
  return emit.add("Resize", {x_of(emit, node), "", scales}, {text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")},
                  wanted);
}

}  // namespace

void floats(OperatorRegistry& registry) {
  registry.add(inexact(op("conv2d", write_conv2d)));
  registry.add(inexact(op("linear", write_linear)));
  registry.add(inexact(op("matmul", write_matmul)));
  registry.add(inexact(op("avg_pool", write_avg_pool)));
  registry.add(inexact(op("avg_pool_inside", write_avg_pool_inside)));
  registry.add(inexact(op("global_avg_pool", write_global_avg_pool)));
  registry.add(inexact(op("reduce_sum", write_reduce_sum)));
  registry.add(inexact(op("reduce_mean", write_reduce_mean)));
  registry.add(inexact(op("softmax", write_softmax)));
  registry.add(inexact(op("log_softmax", write_log_softmax)));
  registry.add(inexact(op("layer_norm", write_layer_norm)));
  registry.add(inexact(op("instance_norm", write_instance_norm)));
  registry.add(inexact(op("resize_bilinear", write_resize)));
  registry.add(op("batch_norm_inference", write_batch_norm));
  registry.add(op("channel_affine", write_channel_affine));
  registry.add(op("relu6", write_relu6));
  registry.add(op("clip", write_clip));
  registry.add(op("hard_tanh", write_clip));
  registry.add(op("hard_sigmoid", write_hard_sigmoid));
  registry.add(op("hard_swish", write_hard_swish));
  registry.add(op("square", write_square));
  registry.add(op("prelu", write_prelu));
  registry.add(inexact(op("gelu", write_gelu)));
  registry.add(inexact(op("silu", write_silu)));
  registry.add(inexact(op("mish", write_mish)));
  registry.add(like("relu", "Relu"));
  registry.add(like("add", "Add"));
  registry.add(like("sub", "Sub"));
  registry.add(like("mul", "Mul"));
  registry.add(like("div", "Div"));
  registry.add(like("negate", "Neg"));
  registry.add(like("abs", "Abs"));
  registry.add(like("sqrt", "Sqrt"));
  registry.add(inexact(like("exp", "Exp")));
  registry.add(inexact(like("log", "Log")));
  registry.add(inexact(like("sigmoid", "Sigmoid")));
  registry.add(inexact(like("tanh", "Tanh")));
  registry.add(inexact(like("softplus", "Softplus")));
  registry.add(like("leaky_relu", "LeakyRelu", "slope", "alpha"));
  registry.add(inexact(like("elu", "Elu", "alpha", "alpha")));
}

}  // namespace stair::frontend::to_onnx::ops
