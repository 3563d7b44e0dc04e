#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/pass.h"

// conv2d_integer(x) on [N,C,H,W]             -> conv2d_integer(transpose(x)) {layout="nhwc"}
// max_pool(x), whose index nobody reads      -> max_pool_integer(x) {layout="nhwc"}             behind such a value
// avg_pool_integer(x)                        -> avg_pool_integer(x) {layout="nhwc"}             behind such a value
// requantize(acc) {axis=1} and other ops that go element by element or name their axes -> on [N,H,W,C], {axis=3}, behind such a value
// Where anything else (or an output) reads a value, it is transposed back; once. With 1x1 images that is a reshape.

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Node;
using ir::Shape;
using ir::ValueId;

constexpr std::size_t image_rank = 4;

// Where dimension d of [N,C,H,W] lies in [N,H,W,C].
std::int64_t moved(std::int64_t axis) {
  const std::int64_t from = axis < 0 ? axis + static_cast<std::int64_t>(image_rank) : axis;
  return from == 0 ? 0 : (from == 1 ? 3 : from - 1);
}

class ChannelsLast {
 public:
  explicit ChannelsLast(const ir::Graph& graph) : rewriter_(graph), uses_(graph), last_(graph.values().size(), ir::absent) {}

  Result run() {
    for (const Node& node : source().nodes()) {
      if (!convert(node)) copy(node);
    }
    for (const ir::Output& output : source().outputs()) first(output.value);
    for (const ir::Update& update : source().updates()) first(update.value);
    return {rewriter_.finish(), std::move(changes_)};
  }

 private:
  const ir::Graph& source() const { return rewriter_.source(); }
  const Shape& shape(ValueId old) const { return source().type(old).shape; }
  bool is_image(ValueId old) const { return old != ir::absent && shape(old).size() == image_rank; }
  bool is_last(ValueId old) const { return old != ir::absent && last_[static_cast<std::size_t>(old)] != ir::absent; }

  // With one channel or one pixel the elements stay in their order.
  ValueId turn(ValueId value, const std::vector<std::int64_t>& permutation, std::size_t channel_axis, const std::string& name) {
    const Shape& from = rewriter_.graph().type(value).shape;
    Shape to{0};  // the batch, whatever it is
    for (std::size_t i = 1; i < permutation.size(); ++i) to.push_back(from[static_cast<std::size_t>(permutation[i])]);
    const std::int64_t channels = from[channel_axis];
    const bool in_order = channels == 1 || channels * from[0] == ir::element_count(from);
    return in_order ? rewriter_.graph().emit("reshape", {value}, {{"shape", to}}, name)
                    : rewriter_.graph().emit("transpose", {value}, {{"permutation", permutation}}, name);
  }

  // The old value as it was; mapped.
  ValueId first(ValueId old) {
    if (old == ir::absent) return old;
    if (!rewriter_.mapped(old)) {
      rewriter_.map(old, turn(last_[static_cast<std::size_t>(old)], {0, 3, 1, 2}, 3, source().value(old).name + ".nchw"));
    }
    return rewriter_(old);
  }
  // The old value as [N,H,W,C].
  ValueId last(ValueId old) {
    ValueId& value = last_[static_cast<std::size_t>(old)];
    if (value == ir::absent) value = turn(rewriter_(old), {0, 2, 3, 1}, 1, source().value(old).name + ".nhwc");
    return value;
  }

  void copy(const Node& node) {
    for (const ValueId operand : node.operands) first(operand);
    rewriter_.copy(node);
  }

  // Operand i of an op that runs on images: those of `images` turned, all others as they are.
  bool emit(const Node& node, const std::string& op, const std::vector<std::size_t>& images, Attributes attributes) {
    std::vector<ValueId> operands;
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const bool image = std::find(images.begin(), images.end(), i) != images.end();
      operands.push_back(image ? last(node.operands[i]) : first(node.operands[i]));
    }
    last_[static_cast<std::size_t>(node.results.front())] =
        rewriter_.graph().emit(op, std::move(operands), std::move(attributes), node.name);
    changes_.push_back("'" + node.name + "' on [N,H,W,C]");
    return true;
  }

  bool convert(const Node& node) {
    const std::string& op = node.op->name;
    if (!is_image(node.results.front())) return false;
    Attributes attributes = node.attributes;
    if (op == "conv2d_integer") {
      attributes.set("layout", std::string("nhwc"));
      return emit(node, op, {0}, std::move(attributes));
    }
    const bool any = std::any_of(node.operands.begin(), node.operands.end(), [&](ValueId operand) { return is_last(operand); });
    if (!any) return false;
    if (op == "max_pool" || op == "avg_pool_integer") {
      if (op == "max_pool" && (ir::is_float(source().type(node.operands[0]).dtype) || read(node.results[1]))) return false;
      attributes.set("layout", std::string("nhwc"));
      return emit(node, op == "max_pool" ? "max_pool_integer" : op, {0}, std::move(attributes));
    }
    if (op == "requantize" || op == "requantize_fixed" || op == "dequantize_accumulator" || op == "dequantize") {
      attributes.set("axis", moved(node.attributes.integer("axis")));
      return emit(node, op, {0}, std::move(attributes));
    }
    if (op == "lookup") return emit(node, op, {0}, std::move(attributes));
    if (op == "point_binary" || op == "add_fixed" || op == "mul_fixed") {
      if (!is_image(node.operands[0]) || !is_image(node.operands[1])) return false;
      return emit(node, op, {0, 1}, std::move(attributes));
    }
    if (op == "pad_integer") {
      const std::vector<std::int64_t> p = node.attributes.integers("padding");
      attributes.set("padding", std::vector<std::int64_t>{p[0], p[2], p[3], p[1], p[4], p[6], p[7], p[5]});
      return emit(node, op, {0}, std::move(attributes));
    }
    if (op == "concat") {
      std::vector<std::size_t> all(node.operands.size());
      for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
      attributes.set("axis", moved(node.attributes.integer("axis")));
      return emit(node, op, all, std::move(attributes));
    }
    if (op == "slice" || (op == "reduce_sum_integer" && node.attributes.boolean("keep"))) {
      std::vector<std::int64_t> axes = node.attributes.integers("axes");
      for (std::int64_t& axis : axes) axis = moved(axis);
      attributes.set("axes", std::move(axes));
      return emit(node, op, {0}, std::move(attributes));
    }
    return false;
  }

  bool read(ValueId value) const {
    const auto i = static_cast<std::size_t>(value);
    return uses_.leaves[i] || !uses_.nodes[i].empty();
  }

  ir::Rewriter rewriter_;
  ir::Uses uses_;
  std::vector<ValueId> last_;  // by old value: as [N,H,W,C]
  std::vector<std::string> changes_;
};

}  // namespace

void channels_last(PassRegistry& registry) {
  registry.add({.name = "channels_last",
                .summary =
                    "Chooses the layout [N,H,W,C] for integer convolutions and what stands between them, with transposes where other "
                    "ops read their values. On deployment graphs.",
                .options = {},
                .run = [](const ir::Graph& graph, const Attributes&) { return ChannelsLast(graph).run(); }});
}

}  // namespace stair::passes
