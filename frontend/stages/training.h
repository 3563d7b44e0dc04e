#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/stages/context.h"
#include "frontend/stages/stage.h"

// What the stages that train have in common.

namespace stair::stages {

/// Their members: epochs, optimizer, schedule and others.
std::vector<ir::AttributeSpec> training_attributes();
/// Keys of the experiment that they look at.
std::vector<std::string> training_keys();

/// Options of the pass append_optimizer for such a stage, of so many steps an epoch.
ir::Attributes optimizer_options(const Stage& stage, std::int64_t steps_per_epoch);

/// StageKind::check: patterns of `freeze` and of the optimizer's parts mean something, and something trains.
void check_patterns(const readers::Experiment& experiment, std::size_t index, std::int64_t steps_per_epoch);

/// The pipeline of a part of a step in a phase; `optimizer` are its optimizer_options, `frozen` the patterns of its `freeze`.
using StepPipeline = std::function<passes::Pipeline(const passes::Phase& phase, const ir::Attributes& optimizer, passes::StepPart part,
                                                    const std::vector<std::string>& frozen)>;

/// Runs the stage's epochs, each with an evaluation at its end; StageKind::run.
bool train(StageContext& context, const StepPipeline& pipeline);

}  // namespace stair::stages
