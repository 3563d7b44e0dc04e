#include <string>
#include <vector>

#include "ir/error.h"
#include "passes/pass.h"

// output logits = %y  ->  %labels = input : i32[N];  output loss = loss(%y, %labels);  output correct = correct_count(%y, %labels)

namespace stair::passes {
namespace {

Result run_append_loss(const ir::Graph& graph, const ir::Attributes& options) {
  const std::vector<std::string> losses{"cross_entropy", "squared_hinge", "mean_squared_error"};
  const std::string& loss = options.text("loss");
  const bool known = loss == losses[0] || loss == losses[1] || loss == losses[2];
  if (!known) throw Error("pass 'append_loss': unknown loss '" + loss + "'" + did_you_mean(loss, losses) + ", expected " + one_of(losses));
  const double smoothing = options.number("label_smoothing");
  if (smoothing < 0 || smoothing >= 1) throw Error("pass 'append_loss': label_smoothing is out of [0, 1)");
  if (smoothing > 0 && loss != "cross_entropy") throw Error("pass 'append_loss': label_smoothing goes with cross_entropy only");

  Result result{graph, {"loss '" + loss + "'"}};
  ir::Graph& made = result.graph;
  const ir::ValueId logits = graph.output("logits");
  const ir::Type& type = graph.type(logits);
  if (type.shape.size() != 2) {
    throw Error("the output '" + graph.value(logits).name + "' is " + to_string(type) + ", expected [N, classes] for a loss over classes");
  }
  const ir::ValueId labels = made.add_input(made.derived("", "labels"), {ir::DType::i32, {type.shape[0]}});
  if (loss == "mean_squared_error") {
    const ir::ValueId target = made.emit("one_hot", {labels}, {{"classes", type.shape[1]}}, made.derived("", "target"));
    made.add_output("loss", made.emit(loss, {logits, target}, {}, made.derived("", "loss")));
  } else {
    ir::Attributes attributes;
    if (loss == "cross_entropy") attributes.set("label_smoothing", smoothing);
    made.add_output("loss", made.emit(loss, {logits, labels}, attributes, made.derived("", "loss")));
  }
  made.add_output("correct", made.emit("correct_count", {logits, labels}, {}, made.derived("", "correct")));
  return result;
}

}  // namespace

void append_loss(PassRegistry& registry) {
  registry.add({.name = "append_loss",
                .summary =
                    "Adds the input 'labels' (i32, a class an image) and the outputs 'loss' (mean over the batch) and 'correct' (how many "
                    "images have their largest logit at the label). mean_squared_error compares with the one-hot labels.",
                .options = {{"loss", "'cross_entropy', 'squared_hinge' or 'mean_squared_error'", std::string("cross_entropy")},
                            {"label_smoothing", "share of the target spread over all classes (cross_entropy)", 0.0}},
                .run = run_append_loss});
}

}  // namespace stair::passes
