#include <fmt/format.h>

#include "passes/schedules/decay.h"

namespace stair::passes::schedules_ {
namespace {

ir::IdleSetting idle_of_step(const ir::Attributes& options, double epochs) {
  const double every = options.number("every_epochs");
  if (every < epochs) return {};
  return {"every_epochs", fmt::format("the rate would fall after {} epochs, of which the stage has {} behind its warm-up", every, epochs)};
}

}  // namespace

void step(ScheduleRegistry& registry) {
  registry.add({.name = "step",
                .summary = "the rate falls by the factor `gamma` behind each `every_epochs`, at once",
                .attributes = decay_members(),
                .rate = [](const ScheduleContext& c) { return decaying_rate(c, "step"); },
                .idle = idle_of_step});
}

}  // namespace stair::passes::schedules_
