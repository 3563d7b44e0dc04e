#include "passes/schedule.h"

namespace stair::passes::schedules_ {

void constant(ScheduleRegistry& registry) {
  registry.add({.name = "constant", .summary = "the rate stays what it is", .attributes = {}, .rate = [](const ScheduleContext& c) {
                  return c.emit("constant", {});
                }});
}

}  // namespace stair::passes::schedules_
