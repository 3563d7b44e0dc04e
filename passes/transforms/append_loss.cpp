#include <string>
#include <utility>
#include <vector>

#include "ir/error.h"
#include "passes/loss.h"
#include "passes/pass.h"

// output y = %y  ->  %labels = input : i32[N];  output loss = loss(%y, %labels);  output correct = correct_count(%y, %labels)
//                    values:  %targets = input : of the type of %y;  output loss = loss(%y, %targets)
//                    input:   output loss = loss(%y, %x), %x being the graph's input
// losses=[{output="y", …}, {output="z", …}]  ->  the same of each, outputs loss:y, correct:y, loss:z, …, and
//                    output loss = weighted_sum(%loss, %loss_2)

namespace stair::passes {
namespace {

void expect(bool holds, const ir::Graph& graph, ir::ValueId output, const std::string& expected) {
  if (holds) return;
  throw Error("the output '" + graph.value(output).name + "' is " + to_string(graph.type(output)) + ", expected " + expected);
}

class LossAppender {
 public:
  LossAppender(const ir::Graph& source, bool mixed) : result_{source, {}}, inputs_(source.inputs().size()), mixed_(mixed) {}

  /// Appends a loss of the output, which the graph's outputs call `loss` and `correct`; no `loss`: its value alone.
  ir::ValueId append(const ir::Attributes& chosen, ir::ValueId output, const std::string& loss, const std::string& correct) {
    const Loss& kind = losses().named(chosen.text("kind"), "loss");
    const Target target = target_of(chosen);
    if (mixed_ && !kind.of_mixtures)
      throw Error("the loss '" + kind.name + "' knows no mixtures of labels, expected 'cross_entropy' with 'mixup'");
    const Standardization by = standardization_of(chosen, graph().type(output));
    const ir::ValueId expected = append_target(output, target);
    const std::string of_expected = graph().value(expected).name;
    const ir::ValueId made = by.says() ? kind.append({graph(), chosen, standardized(graph(), output, by, graph().derived("", "output")),
                                                      standardized(graph(), expected, by, of_expected), target})
                                       : kind.append({graph(), chosen, output, expected, target, mixed_});
    result_.changes.push_back("loss '" + kind.name + "'");
    if (!loss.empty()) graph().add_output(loss, made);
    if (target == Target::classes)
      graph().add_output(correct, graph().emit("correct_count", {output, expected}, {}, graph().derived("", "correct")));
    return made;
  }

  void append_sum(const std::vector<ir::ValueId>& of, const std::vector<double>& weights) {
    graph().add_output("loss", graph().emit("weighted_sum", of, {{"weights", weights}}, graph().derived("", "total")));
  }

  Result finish() { return std::move(result_); }

 private:
  ir::Graph& graph() { return result_.graph; }

  ir::ValueId append_target(ir::ValueId output, Target target) {
    const ir::Type type = graph().type(output);
    expect(ir::is_float(type.dtype), graph(), output, "floats: nothing trains integers");
    if (target == Target::classes) {
      expect(type.shape.size() >= 2, graph(), output, "[N, classes, ...] for a loss over classes");
      return graph().add_input(graph().unique_name(graph().derived("", "labels")), type_of(target, type));
    }
    if (target == Target::values) return graph().add_input(graph().unique_name(graph().derived("", "targets")), type);
    if (inputs_ != 1) throw Error("the model has " + std::to_string(inputs_) + " inputs, expected one that the output is held against");
    const ir::ValueId input = graph().inputs().front();
    expect(graph().type(input) == type, graph(), output,
           "the type of the input '" + graph().value(input).name + "', " + to_string(graph().type(input)));
    return input;
  }

  Result result_;
  std::size_t inputs_;  // of the model
  bool mixed_;
};

Result run_append_loss(const ir::Graph& graph, const ir::Attributes& options) {
  LossAppender appender(graph, options.boolean("mixed"));
  if (graph.outputs().empty()) throw Error("the graph has no output, expected one that a loss is of");
  const std::vector<ir::Object>& chosen = options.objects("losses");
  if (chosen.empty()) appender.append(options.object("loss"), graph.outputs().front().value, loss_output(""), correct_output(""));
  std::vector<ir::ValueId> made;
  std::vector<double> weights;
  for (const ir::Object& loss : chosen) {
    const std::string& output = loss.members().text("output");
    const bool several = chosen.size() > 1;
    made.push_back(
        appender.append(loss.members(), graph.output(output), several ? loss_output(output) : "", correct_output(several ? output : "")));
    weights.push_back(loss.members().number("weight"));
  }
  if (!made.empty()) appender.append_sum(made, weights);
  return appender.finish();
}

}  // namespace

void append_loss(PassRegistry& registry) {
  registry.add(
      {.name = "append_loss",
       .summary = "Adds what the first output is held against as an input, 'labels' (i32, classes) or 'targets' (f32), unless that is the "
                  "model's input, and the outputs 'loss' (mean over the batch) and, for classes, 'correct' (of how many labels the "
                  "logit is the largest). With 'losses' the same of each output that they name, as 'loss:NAME' and 'correct:NAME', and "
                  "as 'loss' their weighted sum.",
       .options = {loss_spec(), losses_spec(), {"mixed", "examples are mixtures of two, with shares of their labels", false}},
       .run = run_append_loss});
}

}  // namespace stair::passes
