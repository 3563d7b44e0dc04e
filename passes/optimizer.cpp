#include "passes/optimizer.h"

#include <utility>

namespace stair::passes {

const ir::AttributeSpec& optimizer_spec() {
  static const ir::AttributeSpec spec{
      .name = "optimizer",
      .doc = "how parameters follow their gradients",
      .fallback = ir::Object({{"kind", std::string("sgd")}, {"learning_rate", 0.01}}),
      .members =
          {{.name = "learning_rate", .doc = "after warm-up", .fallback = 0.01, .bounds = ir::above(0)},
           {.name = "weight_decay", .doc = "L2 decay; decoupled in adamw", .fallback = 0.0, .bounds = ir::at_least(0)},
           {.name = "max_norm", .doc = "clips the norm of all gradients together; 0: not", .fallback = 0.0, .bounds = ir::at_least(0)},
           {.name = "parts",
            .doc = "what is other for some parameters: for each, the first part counts of which a pattern means it",
            .fallback = std::vector<ir::Object>(),
            .members = {{.name = "match",
                         .doc = "patterns of parameters, with '*' and '?'",
                         .fallback = std::vector<std::string>(),
                         .required = true},
                        {.name = "learning_rate_factor",
                         .doc = "on the rate that the schedule says",
                         .fallback = 1.0,
                         .bounds = ir::above(0),
                         .optional = true},
                        {.name = "weight_decay",
                         .doc = "in place of the optimizer's",
                         .fallback = 0.0,
                         .bounds = ir::at_least(0),
                         .optional = true}},
            .optional = true}},
      .kinds = [] { return ir::kinds_of(optimizers()); }};
  return spec;
}

ParameterUpdate::ParameterUpdate(ir::Graph& graph, const ir::Attributes& options_of, ir::ValueId updated)
    : options(options_of), parameter(updated), graph_(graph) {}

ir::ValueId ParameterUpdate::slot(const char* name) {
  ir::State state;
  state.role = ir::StateRole::slot;
  return graph_.add_state(graph_.derived(graph_.value(parameter).name, name), graph_.type(parameter), state);
}

std::vector<ir::ValueId> ParameterUpdate::emit(std::string_view op, std::vector<ir::ValueId> operands, ir::Attributes attributes) {
  return graph_.add(op, std::move(operands), std::move(attributes), graph_.derived(graph_.value(parameter).name, "next")).results;
}

void ParameterUpdate::update(ir::ValueId slot, ir::ValueId value) {
  graph_.add_update(slot, value);
}

}  // namespace stair::passes
