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
// Which ops run so, and how, is what they say (OpSchema::ChannelsLast). Where anything else (or an output) reads a value, it is transposed
// back; once. With 1x1 images that is a reshape.

namespace stair::passes {
namespace {

using ir::Attributes;
using ir::Node;
using ir::Shape;
using ir::ValueId;

constexpr std::size_t image_rank = 4;

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
      rewriter_.map(
          old, turn(last_[static_cast<std::size_t>(old)], {0, 3, 1, 2}, 3, rewriter_.graph().derived(source().value(old).name, "nchw")));
    }
    return rewriter_(old);
  }
  // The old value as [N,H,W,C].
  ValueId last(ValueId old) {
    ValueId& value = last_[static_cast<std::size_t>(old)];
    if (value == ir::absent) value = turn(rewriter_(old), {0, 2, 3, 1}, 1, rewriter_.graph().derived(source().value(old).name, "nhwc"));
    return value;
  }

  void copy(const Node& node) {
    for (const ValueId operand : node.operands) first(operand);
    rewriter_.copy(node);
  }

  bool convert(const Node& node) {
    if (!node.op->channels_last || !is_image(node.results.front())) return false;
    const ir::OpSchema::ChannelsLast& form = *node.op->channels_last;
    const std::size_t images = form.images == 0 ? node.operands.size() : form.images;
    bool converts = form.preferred;
    for (std::size_t i = 0; i < images; ++i) {
      if (!is_image(node.operands[i])) return false;
      converts = converts || is_last(node.operands[i]);
    }
    const bool stands_in = !form.op.empty();
    if (stands_in && (ir::is_float(source().type(node.operands[0]).dtype) || reads_more(node))) converts = false;
    if (!converts) return false;
    Attributes attributes = node.attributes;
    if (form.attributes != nullptr) form.attributes(attributes);
    std::vector<ValueId> operands;
    for (std::size_t i = 0; i < node.operands.size(); ++i)
      operands.push_back(i < images ? last(node.operands[i]) : first(node.operands[i]));
    const ir::OpSchema& op = stands_in ? ir::op(form.op) : *node.op;
    last_[static_cast<std::size_t>(node.results.front())] =
        rewriter_.graph().add(op, std::move(operands), std::move(attributes), node.name).results.front();
    changes_.push_back("'" + node.name + "' on [N,H,W,C]");
    return true;
  }

  // Whether somebody reads a result beside the first.
  bool reads_more(const Node& node) const {
    return std::any_of(node.results.begin() + 1, node.results.end(), [&](ValueId value) {
      const auto i = static_cast<std::size_t>(value);
      return uses_.leaves[i] || !uses_.nodes[i].empty();
    });
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
                .run = [](const ir::Graph& graph, const Attributes&) { return ChannelsLast(graph).run(); }});
}

}  // namespace stair::passes
