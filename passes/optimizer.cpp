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
           {.name = "max_norm", .doc = "clips the norm of all gradients together; 0: not", .fallback = 0.0, .bounds = ir::at_least(0)}},
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
