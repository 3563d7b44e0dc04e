#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "passes/analysis.h"
#include "passes/pass.h"

// Cuts a step, derived but not yet updated, in two along what the shards of its batch have to share. HOW is how one value is made of those
// of all shards: what the op that computes it says (OpSchema, Reduction); for gradients, what the loss says.
//   part=shard:   output NAME = %v, update %s = %v  ->  output HOW:NAME = %v, output HOW:s = %v
//                 counter states that draw random numbers for images: %c  ->  increment(%c, %shard), with the input %shard: i64[1]
//   part=update:  %HOW:NAME = input, …;  output NAME = %HOW:NAME, update %s = %HOW:s
// An output that no op says this of, like the logits, stays with the shard. Every shard starts from the same states. The second half goes
// on like a step of its own: append_optimizer finds its gradients there.

namespace stair::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Reduction;
using ir::ValueId;

constexpr std::string_view gradient_prefix = "grad:";

class StepCut {
 public:
  explicit StepCut(const Graph& source) : source_(source) {
    for (const ir::Output& output : source.outputs()) add(output.name, output.value, ir::absent);
    for (const ir::Update& update : source.updates()) add(source.value(update.state).name, update.value, update.state);
  }

  Result shard() const {
    const std::vector<bool> depends = depends_on_inputs(source_);
    ir::Rewriter rewriter(source_);
    Graph& graph = rewriter.graph();
    const ValueId shard = graph.add_input(graph.derived("", "shard"), {ir::DType::i64, {1}});
    std::vector<std::string> changes;
    for (const Node& node : source_.nodes()) {
      if (!depends[static_cast<std::size_t>(node.results.front())]) {
        rewriter.copy(node);
        continue;
      }
      // Weights are drawn once a step, and what is drawn for images differs from shard to shard.
      std::vector<ValueId> operands = rewriter(node.operands);
      for (ValueId& operand : operands) {
        const ir::State* state = operand == ir::absent ? nullptr : graph.state(operand);
        if (state == nullptr || state->role != ir::StateRole::counter) continue;
        const std::string name = graph.value(operand).name;
        operand = graph.emit("increment", {operand, shard}, {}, graph.derived(name, "shard"));
        changes.push_back("each shard draws its own '" + name + "'");
      }
      const Node& made = graph.add(*node.op, std::move(operands), node.attributes, node.name);
      for (std::size_t i = 0; i < node.results.size(); ++i) rewriter.map(node.results[i], made.results[i]);
    }
    Graph cut = std::move(graph);
    for (const ir::Output& output : kept_) cut.add_output(output.name, rewriter(output.value));
    for (const Shared& shared : shared_) {
      cut.add_output(shared.name(), rewriter(shared.value));
      changes.push_back("shares '" + shared.name() + "'");
    }
    return {std::move(cut), std::move(changes)};
  }

  Result update() const {
    Result result{Graph::like(source_), {}};
    Graph& graph = result.graph;
    std::vector<ValueId> inputs;
    for (const Shared& shared : shared_) inputs.push_back(graph.add_input(graph.derived("", shared.name()), source_.type(shared.value)));
    for (const ir::State& state : source_.states()) graph.add_state(source_.value(state.value).name, source_.type(state.value), state);
    for (std::size_t i = 0; i < shared_.size(); ++i) {
      if (shared_[i].state == ir::absent) {
        graph.add_output(shared_[i].of, inputs[i]);
      } else {
        graph.add_update(graph.find(shared_[i].of), inputs[i]);
      }
      result.changes.push_back("takes '" + shared_[i].name() + "'");
    }
    return result;
  }

 private:
  struct Shared {
    Reduction how;
    std::string of;  // the output or state
    ValueId value;
    ValueId state;  // that takes the value; absent: an output
    std::string name() const { return std::string(name_of(how)) + ":" + of; }
  };

  void add(const std::string& name, ValueId value, ValueId state) {
    const bool is_gradient = state == ir::absent && name.starts_with(gradient_prefix);
    const ValueId says = is_gradient ? source_.output("loss") : value;
    const Node* node = source_.producer(says);
    const Reduction how =
        node == nullptr ? Reduction::none : node->op->results[static_cast<std::size_t>(source_.value(says).result)].over_shards;
    if (how == Reduction::none && state == ir::absent && !is_gradient && name != "loss") {
      kept_.push_back({name, value});
      return;
    }
    if (how == Reduction::none) {
      throw Error("pass 'cut_step': '" + name + "' is computed by " + (node == nullptr ? "no node" : "the op '" + node->op->name + "'") +
                  ", which doesn't say how the values of several shards become one");
    }
    shared_.push_back({how, name, value, state});
  }

  const Graph& source_;
  std::vector<Shared> shared_;
  std::vector<ir::Output> kept_;
};

}  // namespace

void cut_step(PassRegistry& registry) {
  registry.add({.name = "cut_step",
                .summary =
                    "Cuts a training step in two: what each shard of the batch runs (part=shard), and what is done once with their results "
                    "(part=update). After autodiff; before append_optimizer, which goes with the second part.",
                .options = {ir::choice("part", "of the step", {"shard", "update"})},
                .run = [](const Graph& graph, const ir::Attributes& options) {
                  return options.text("part") == "shard" ? StepCut(graph).shard() : StepCut(graph).update();
                }});
}

}  // namespace stair::passes
