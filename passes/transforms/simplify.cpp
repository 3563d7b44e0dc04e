#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/pass.h"

// Rules that keep every bit, for any batch: types are equal that are so for another batch, too, and a shape that is written spells none
// out. Each looks at one node, whose operands have been simplified before, and gives what stands for its result 0:
//   reshape(x), flatten(x), broadcast(x), slice(x), pad(x) to the type of x   -> x
//   reshape(reshape(x)), reshape(flatten(x))                                   -> reshape(x), or x, where one -1 is enough
//   transpose(x) that moves nothing                                            -> x
//   transpose(transpose(x))                                                    -> transpose(x), or x
//   concat(x)                                                                  -> x
//   relu(relu(x)), relu(relu6(x)), relu6(relu6(x))                              -> the inner one
//   relu6(relu(x))                                                             -> relu6(x)
//   negate(negate(x))                                                          -> x
//   dropout(x) of rate 0, whose mask nobody reads                              -> x
//   max_pool(x), avg_pool(x) over a window of one element                      -> x

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::ValueId;

bool is_one_of(const Node& node, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (is(node, name)) return true;
  }
  return false;
}

// The shape by which one reshape does what a reshape or flatten `first` of x and a reshape by `shape` do; nothing where that takes two -1.
std::optional<ir::Shape> joined(const Node& first, ir::Shape shape, std::size_t rank_of_x) {
  ir::Shape between;  // what dimensions of `first` are of x
  if (is(first, "reshape")) {
    between = first.attributes.integers("shape");
  } else {
    const std::int64_t axis = first.attributes.integer("axis");
    const std::int64_t columns = axis == 1 && rank_of_x == 2 ? 0 : -1;
    between = {axis == 0 ? 1 : axis == 1 ? 0 : -1, columns};
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0) shape[i] = between[i];
  }
  if (std::count(shape.begin(), shape.end(), -1) > 1) return std::nullopt;
  return shape;
}

class Simplifier {
 public:
  explicit Simplifier(const Graph& graph) : rewriter_(graph), uses_(graph), other_(ir::types_of_batch(graph, ir::telling_batch)) {}

  Result run() {
    for (const Node& node : rewriter_.source().nodes()) {
      const ValueId simpler = only_first_result_read(node) ? simplified(node) : ir::absent;
      if (simpler == ir::absent) {
        rewriter_.copy(node);
        continue;
      }
      rewriter_.map(node.results.front(), simpler);
      changes_.push_back("'" + node.name + "' is '" + rewriter_.graph().value(simpler).name + "'");
    }
    return {rewriter_.finish(), std::move(changes_)};
  }

 private:
  bool only_first_result_read(const Node& node) const {
    for (std::size_t i = 1; i < node.results.size(); ++i) {
      const auto result = static_cast<std::size_t>(node.results[i]);
      if (!uses_.nodes[result].empty() || uses_.leaves[result]) return false;
    }
    return true;
  }

  // Whether two values of the old graph have the same type, also where the batch is another one.
  bool same_type(ValueId a, ValueId b) const {
    const auto other = [&](ValueId value) -> const ir::Type& { return other_.types[static_cast<std::size_t>(value)]; };
    const Graph& graph = rewriter_.source();
    return graph.type(a) == graph.type(b) && (other_.refuses != ir::absent || other(a) == other(b));
  }

  // A value of the new graph that equals the node's result 0, or absent.
  ValueId simplified(const Node& node) {
    if (node.operands.empty() || node.operands.front() == ir::absent) return ir::absent;
    Graph& graph = rewriter_.graph();
    const ValueId x = rewriter_(node.operands.front());
    const Node* before = graph.producer(x);
    const bool stays = same_type(node.operands.front(), node.results.front());
    if (stays && is_one_of(node, {"reshape", "flatten", "broadcast", "slice", "pad"})) return x;
    if (stays && is_one_of(node, {"max_pool", "avg_pool"}) && node.attributes.integers("kernel") == ir::Shape{1, 1}) return x;
    if (is(node, "concat") && node.operands.size() == 1) return x;
    if (is(node, "dropout") && node.attributes.number("rate") == 0) return x;
    if (is(node, "transpose")) return transposed(node, x, before);
    if (before == nullptr) return ir::absent;
    if (is(node, "reshape") && is_one_of(*before, {"reshape", "flatten"})) {
      return reshaped(node, *before);
    }
    if (is(node, "relu") && is_one_of(*before, {"relu", "relu6"})) return x;
    if (is(node, "relu6") && is(*before, "relu6")) return x;
    if (is(node, "relu6") && is(*before, "relu")) return graph.emit("relu6", {before->operands.front()}, {}, node.name);
    if (is(node, "negate") && is(*before, "negate")) return before->operands.front();
    return ir::absent;
  }

  ValueId reshaped(const Node& node, const Node& before) {
    const ValueId from = before.operands.front();
    const ir::Shape& shape_of_x = rewriter_.graph().type(from).shape;
    const ValueId old = rewriter_.source().find(rewriter_.graph().value(from).name);  // of the same type
    if (same_type(old, node.results.front())) return from;
    const std::optional<ir::Shape> shape = joined(before, node.attributes.integers("shape"), shape_of_x.size());
    if (!shape) return ir::absent;
    return rewriter_.graph().emit("reshape", {from}, {{"shape", *shape}}, node.name);
  }

  ValueId transposed(const Node& node, ValueId x, const Node* before) {
    ir::Shape permutation = node.attributes.integers("permutation");
    ValueId from = x;
    if (before != nullptr && is(*before, "transpose")) {
      const ir::Shape& first = before->attributes.integers("permutation");
      for (std::int64_t& axis : permutation) axis = first[static_cast<std::size_t>(axis)];
      from = before->operands.front();
    }
    bool moves = false;
    for (std::size_t i = 0; i < permutation.size(); ++i) moves = moves || permutation[i] != static_cast<std::int64_t>(i);
    if (!moves) return from;
    if (from == x) return ir::absent;
    return rewriter_.graph().emit("transpose", {from}, {{"permutation", permutation}}, node.name);
  }

  ir::Rewriter rewriter_;
  ir::Uses uses_;
  ir::TypesOfBatch other_;
  std::vector<std::string> changes_;
};

}  // namespace

void simplify(PassRegistry& registry) {
  registry.add({.name = "simplify",
                .summary =
                    "Replaces nodes by simpler ones that give the same bits: moves that move nothing, moves and clamps of the same kind "
                    "in a row.",
                .run = [](const Graph& graph, const ir::Attributes&) { return Simplifier(graph).run(); }});
}

}  // namespace stair::passes
