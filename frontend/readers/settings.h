#pragma once

#include <cstdint>

#include "frontend/readers/experiment.h"

// Every setting that a user writes has an effect, or is refused. What a named base recipe or a checkpoint says is no user's.

namespace stair::readers {

/// Refuses what the experiment's JSON says without any effect: keys of another optimizer, schedule or loss, what no stage of it has,
/// augmentation of what aren't pictures, a recipe's idle keys and overrides, a layer, a block or a parameter of one that nothing
/// reads, the dilation of a kernel of 1. Error "SOURCE POINTER: …".
void check_settings(const Experiment& experiment);

/// The same of what depends on the data: a delay or freeze of the recipe that no qat stage reaches.
void check_schedule_reach(const Experiment& experiment, std::int64_t steps_per_epoch);

}  // namespace stair::readers
