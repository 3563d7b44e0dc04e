#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "ir/op.h"
#include "passes/analysis.h"
#include "passes/parameters.h"
#include "passes/pass.h"

// Reverse-mode differentiation, graph from graph: for each node in reverse, its op's gradient rule builds the nodes that give the gradients
// of its operands; where a value is read several times its gradients add.

namespace stair::passes {
namespace {

using ir::Graph;
using ir::NodeId;
using ir::ValueId;

class Differentiator {
 public:
  Differentiator(const Graph& graph, const std::vector<std::string>& frozen)
      : source_(graph), frozen_(frozen), graph_(graph), gradient_(graph.values().size(), ir::absent) {}

  Result run() {
    mark_trained();
    const ValueId loss = source_.output("loss");
    if (!trained(loss)) throw Error("the loss '" + source_.value(loss).name + "' depends on no parameter that trains");
    gradient(loss) = graph_.emit("constant", {}, {{"value", 1.0}, {"shape", source_.type(loss).shape}},
                                 graph_.derived(source_.value(loss).name, "grad"));
    for (auto id = static_cast<NodeId>(source_.nodes().size()); id-- > 0;) differentiate(id);
    for (const ir::State& state : source_.states()) {
      if (!trains(state) || gradient(state.value) == ir::absent) continue;
      const std::string& name = source_.value(state.value).name;
      graph_.add_output("grad:" + name, gradient(state.value));
      changes_.push_back("gradient of '" + name + "'");
    }
    return {std::move(graph_), std::move(changes_)};
  }

 private:
  bool trains(const ir::State& state) const { return state.role == ir::StateRole::parameter && !mean(frozen_, source_, state); }
  bool trained(ValueId value) const { return value != ir::absent && trained_[static_cast<std::size_t>(value)]; }
  ValueId& gradient(ValueId value) { return gradient_[static_cast<std::size_t>(value)]; }

  // Values that depend on a parameter that trains: only they need a gradient.
  void mark_trained() {
    std::vector<bool> parameters(source_.values().size(), false);
    for (const ir::State& state : source_.states()) parameters[static_cast<std::size_t>(state.value)] = trains(state);
    trained_ = depends_on(source_, std::move(parameters));
  }

  void differentiate(NodeId id) {
    const ir::Node& node = source_.node(id);
    std::vector<ValueId> gradients;
    bool flows = false;
    for (const ValueId result : node.results) {
      gradients.push_back(gradient(result));
      flows = flows || gradient(result) != ir::absent;
    }
    std::vector<bool> needs;
    bool wanted = false;
    for (const ValueId operand : node.operands) {
      needs.push_back(trained(operand));
      wanted = wanted || trained(operand);
    }
    if (!flows || !wanted) return;
    if (!node.op->gradient.rule) {
      throw Error(node.op->name + " '" + node.name +
                  "' stands between the loss and a parameter, but has no gradient: " + node.op->gradient.reason);
    }
    ir::GradientContext context(graph_, id, std::move(gradients), needs);
    const std::vector<ValueId> by_operand = node.op->gradient.rule(context);
    for (std::size_t i = 0; i < by_operand.size(); ++i) {
      if (needs[i] && by_operand[i] != ir::absent) accumulate(node.operands[i], by_operand[i], node);
    }
  }

  void accumulate(ValueId value, ValueId more, const ir::Node& node) {
    if (graph_.type(more) != graph_.type(value)) {
      throw InternalError("the gradient rule of '" + node.op->name + "' gives " + to_string(graph_.type(more)) + " for an operand of " +
                          to_string(graph_.type(value)));
    }
    ValueId& sum = gradient(value);
    sum = sum == ir::absent ? more : graph_.emit("add", {sum, more}, {}, graph_.derived(source_.value(value).name, "grad.sum"));
  }

  const Graph& source_;
  const std::vector<std::string>& frozen_;  // patterns
  Graph graph_;
  std::vector<ValueId> gradient_;  // by value of the source
  std::vector<bool> trained_;
  std::vector<std::string> changes_;
};

}  // namespace

void autodiff(PassRegistry& registry) {
  registry.add(
      {.name = "autodiff",
       .summary = "Derives the backward graph from the output 'loss' and adds an output 'grad:NAME' for every parameter that the loss "
                  "depends on, but for those that are frozen. After append_loss.",
       .options = {{"freeze", "patterns, with '*' and '?', of parameters that don't train", std::vector<std::string>{}}},
       .run = [](const Graph& graph, const ir::Attributes& options) { return Differentiator(graph, options.texts("freeze")).run(); }});
}

}  // namespace stair::passes
