#include "ir/error.h"
#include "passes/loss.h"
#include "passes/pass.h"

// output logits = %y  ->  %labels = input : i32[N];  output loss = loss(%y, %labels);  output correct = correct_count(%y, %labels)

namespace stair::passes {
namespace {

Result run_append_loss(const ir::Graph& graph, const ir::Attributes& options) {
  const ir::Attributes& chosen = options.object("loss");
  const Loss& loss = losses().named(chosen.text("kind"), "loss");
  Result result{graph, {"loss '" + loss.name + "'"}};
  ir::Graph& made = result.graph;
  const ir::ValueId logits = graph.output("logits");
  const ir::Type& type = graph.type(logits);
  if (type.shape.size() != 2) {
    throw Error("the output '" + graph.value(logits).name + "' is " + to_string(type) + ", expected [N, classes] for a loss over classes");
  }
  const ir::ValueId labels = made.add_input(made.derived("", "labels"), {ir::DType::i32, {type.shape[0]}});
  made.add_output("loss", loss.append({made, chosen, logits, labels}));
  made.add_output("correct", made.emit("correct_count", {logits, labels}, {}, made.derived("", "correct")));
  return result;
}

}  // namespace

void append_loss(PassRegistry& registry) {
  registry.add({.name = "append_loss",
                .summary =
                    "Adds the input 'labels' (i32, a class an image) and the outputs 'loss' (mean over the batch) and 'correct' (how many "
                    "images have their largest logit at the label).",
                .options = {loss_spec()},
                .run = run_append_loss});
}

}  // namespace stair::passes
