#pragma once

#include <algorithm>

#include "passes/schedule.h"

// What the schedules that decay by a factor share.

namespace stair::passes::schedules_ {

inline std::vector<ir::AttributeSpec> decay_members() {
  ir::Bounds epochs = ir::above(0);
  epochs.high = 1e6;
  ir::Bounds factor = ir::above(0);
  factor.high = 1;
  return {{.name = "every_epochs", .doc = "epochs between decays by `gamma`", .fallback = 1.0, .bounds = epochs},
          {.name = "gamma", .doc = "the factor of a decay", .fallback = 0.1, .bounds = factor}};
}

inline ir::ValueId decaying_rate(const ScheduleContext& c, const char* kind) {
  return c.emit(kind,
                {{"step_size", std::max<std::int64_t>(1, c.steps(c.options.number("every_epochs")))}, {"gamma", c.options.at("gamma")}});
}

}  // namespace stair::passes::schedules_
