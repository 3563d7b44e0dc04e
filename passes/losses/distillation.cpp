#include "passes/loss.h"

namespace stair::passes::losses_ {
namespace {

ir::ValueId append_distillation(const LossContext& c) {
  const ir::ValueId teacher = c.graph.add_input(c.graph.unique_name(c.graph.derived("", "teacher")), c.graph.type(c.output));
  return c.graph.emit("distillation", {c.output, c.expected, teacher},
                      {{"temperature", c.options.at("temperature")}, {"share", c.options.at("share")}}, c.graph.derived("", "loss"));
}

}  // namespace

void distillation(LossRegistry& registry) {
  registry.add(
      {.name = "distillation",
       .summary = "a teacher's softened outputs, and cross-entropy of the labels (Hinton, Vinyals, Dean 2015)",
       .attributes =
           {{.name = "teacher",
             .doc = "a checkpoint, or folder of a run, whose float model sees the same examples",
             .fallback = std::string(),
             .required = true},
            {.name = "temperature", .doc = "that both logits are divided by", .fallback = 4.0, .bounds = ir::above(0)},
            {.name = "share", .doc = "how much the teacher counts; the labels are the rest", .fallback = 0.9, .bounds = ir::within(0, 1)}},
       .append = append_distillation});
}

}  // namespace stair::passes::losses_
