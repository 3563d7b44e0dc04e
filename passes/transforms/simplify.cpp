#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "passes/pass.h"

// Rules that keep every bit. Each looks at one node, whose operands have been simplified before, and gives what stands for its result 0:
//   reshape(x), flatten(x), broadcast(x), slice(x), pad(x) to the type of x   -> x
//   reshape(reshape(x)), reshape(flatten(x))                                   -> reshape(x)
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
    if (node.op->name == name) return true;
  }
  return false;
}

class Simplifier {
 public:
  explicit Simplifier(const Graph& graph) : rewriter_(graph), uses_(graph) {}

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

  // A value of the new graph that equals the node's result 0, or absent.
  ValueId simplified(const Node& node) {
    if (node.operands.empty() || node.operands.front() == ir::absent) return ir::absent;
    Graph& graph = rewriter_.graph();
    const ValueId x = rewriter_(node.operands.front());
    const Node* before = graph.producer(x);
    const bool same_type = graph.type(x) == rewriter_.source().type(node.results.front());
    if (same_type && is_one_of(node, {"reshape", "flatten", "broadcast", "slice", "pad"})) return x;
    if (same_type && is_one_of(node, {"max_pool", "avg_pool"}) && node.attributes.integers("kernel") == ir::Shape{1, 1}) return x;
    if (node.op->name == "concat" && node.operands.size() == 1) return x;
    if (node.op->name == "dropout" && node.attributes.number("rate") == 0) return x;
    if (node.op->name == "transpose") return transposed(node, x, before);
    if (before == nullptr) return ir::absent;
    if (node.op->name == "reshape" && is_one_of(*before, {"reshape", "flatten"})) {
      const ValueId from = before->operands.front();
      const ir::Shape shape = rewriter_.source().type(node.results.front()).shape;
      if (graph.type(from).shape == shape) return from;
      return graph.emit("reshape", {from}, {{"shape", shape}}, node.name);
    }
    if (node.op->name == "relu" && is_one_of(*before, {"relu", "relu6"})) return x;
    if (node.op->name == "relu6" && before->op->name == "relu6") return x;
    if (node.op->name == "relu6" && before->op->name == "relu") return graph.emit("relu6", {before->operands.front()}, {}, node.name);
    if (node.op->name == "negate" && before->op->name == "negate") return before->operands.front();
    return ir::absent;
  }

  ValueId transposed(const Node& node, ValueId x, const Node* before) {
    ir::Shape permutation = node.attributes.integers("permutation");
    ValueId from = x;
    if (before != nullptr && before->op->name == "transpose") {
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
  std::vector<std::string> changes_;
};

}  // namespace

void simplify(PassRegistry& registry) {
  registry.add({.name = "simplify",
                .summary =
                    "Replaces nodes by simpler ones that give the same bits: moves that move nothing, moves and clamps of the same kind "
                    "in a row.",
                .options = {},
                .run = [](const Graph& graph, const ir::Attributes&) { return Simplifier(graph).run(); }});
}

}  // namespace stair::passes
