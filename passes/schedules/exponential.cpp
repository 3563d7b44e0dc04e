#include "passes/schedules/decay.h"

namespace stair::passes::schedules_ {

void exponential(ScheduleRegistry& registry) {
  registry.add({.name = "exponential",
                .summary = "the rate falls by the factor `gamma` in each `every_epochs`, a little with each step",
                .attributes = decay_members(),
                .rate = [](const ScheduleContext& c) { return decaying_rate(c, "exponential"); }});
}

}  // namespace stair::passes::schedules_
