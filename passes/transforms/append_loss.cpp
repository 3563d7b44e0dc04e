#include "ir/error.h"
#include "passes/loss.h"
#include "passes/pass.h"

// output logits = %y  ->  %labels = input : i32[N];  output loss = loss(%y, %labels);  output correct = correct_count(%y, %labels)
//                         values:  %targets = input : of the type of %y;  output loss = loss(%y, %targets)
//                         input:   output loss = loss(%y, %x), %x being the graph's input

namespace stair::passes {
namespace {

void expect(bool holds, const ir::Graph& graph, ir::ValueId output, const std::string& expected) {
  if (holds) return;
  throw Error("the output '" + graph.value(output).name + "' is " + to_string(graph.type(output)) + ", expected " + expected);
}

ir::ValueId append_target(ir::Graph& graph, ir::ValueId output, Target target) {
  const ir::Type type = graph.type(output);
  if (target == Target::classes) {
    expect(type.shape.size() >= 2, graph, output, "[N, classes, ...] for a loss over classes");
    return graph.add_input(graph.derived("", "labels"), type_of(target, type));
  }
  if (target == Target::values) return graph.add_input(graph.derived("", "targets"), type);
  const ir::ValueId input = graph.inputs().front();
  expect(graph.type(input) == type, graph, output,
         "the type of the input '" + graph.value(input).name + "', " + to_string(graph.type(input)));
  return input;
}

Result run_append_loss(const ir::Graph& graph, const ir::Attributes& options) {
  const ir::Attributes& chosen = options.object("loss");
  const Loss& loss = losses().named(chosen.text("kind"), "loss");
  const Target target = target_of(chosen);
  Result result{graph, {"loss '" + loss.name + "'"}};
  ir::Graph& made = result.graph;
  const ir::ValueId output = graph.output("logits");
  const ir::ValueId expected = append_target(made, output, target);
  made.add_output("loss", loss.append({made, chosen, output, expected, target}));
  if (target == Target::classes)
    made.add_output("correct", made.emit("correct_count", {output, expected}, {}, made.derived("", "correct")));
  return result;
}

}  // namespace

void append_loss(PassRegistry& registry) {
  registry.add({.name = "append_loss",
                .summary =
                    "Adds what the output is held against as an input, 'labels' (i32, classes) or 'targets' (f32), unless that is the "
                    "model's input, and the outputs 'loss' (mean over the batch) and, for classes, 'correct' (of how many labels the "
                    "logit is the largest).",
                .options = {loss_spec()},
                .run = run_append_loss});
}

}  // namespace stair::passes
