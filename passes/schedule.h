#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::passes {

/// What a schedule works with: it appends nodes to a training step.
struct ScheduleContext {
  ir::Graph& graph;
  const ir::Attributes& options;  ///< the schedule's members, complete
  ir::ValueId step;               ///< of the stage, from 0, i64[1]
  double learning_rate;           ///< after warm-up
  std::int64_t epochs;            ///< of the stage
  std::int64_t steps_per_epoch;

  /// So many epochs in whole steps.
  std::int64_t steps(double epoch_count) const;
  /// The op learning_rate with this kind of its own, and the warm-up.
  ir::ValueId emit(const std::string& kind, ir::Attributes attributes) const;
};

/// How the learning rate goes over a stage: one file in passes/schedules. All schedules have the member `warmup_epochs` as well.
struct Schedule {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes;
  /// The rate of the step, f32[1].
  std::function<ir::ValueId(const ScheduleContext&)> rate;
  /// A setting that has no effect, in a stage of so many epochs behind its warm-up.
  std::function<ir::IdleSetting(const ir::Attributes& options, double epochs)> idle = {};
};

using ScheduleRegistry = ir::Registry<Schedule>;
const ScheduleRegistry& schedules();

/// Whether the rates of the schedule, given by its members, depend on how many epochs the stage has.
bool goes_by_length(const ir::Attributes& schedule);

/// The option `schedule` of append_optimizer, and the key of a stage.
const ir::AttributeSpec& schedule_spec();

}  // namespace stair::passes
