#include "passes/schedule.h"

namespace stair::passes::schedules_ {

void cosine(ScheduleRegistry& registry) {
  registry.add({.name = "cosine",
                .summary = "half a wave from the rate down to `final` (Loshchilov, Hutter 2017, equation 5)",
                .attributes = {{.name = "final", .doc = "the rate at the end", .fallback = 0.0, .bounds = ir::at_least(0)}},
                .rate = [](const ScheduleContext& c) {
                  return c.emit("cosine", {{"total_steps", c.epochs * c.steps_per_epoch}, {"final", c.options.at("final")}});
                }});
}

}  // namespace stair::passes::schedules_
