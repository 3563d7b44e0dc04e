#pragma once

#include <cstdint>
#include <span>

#include "frontend/compile.h"
#include "frontend/experiment.h"
#include "runtime/dataset.h"

namespace stair::driver {

/// Forgets what the recipe's observers have seen, and lets them watch the first `count` batches of training data in float inference: in the
/// order of the first epoch, not augmented. Error naming batch and observer where a range isn't finite (N-FINITE).
void calibrate_ranges(const Experiment& experiment, const passes::Recipe& recipe, const runtime::Dataset& data, std::int64_t count,
                      runtime::Tensors& states, const CompileOptions& options);

/// Runs a calibration graph on a batch, with the same errors.
void observe(runtime::Executor& executor, std::span<const ir::TensorView> inputs, std::int64_t batch);

}  // namespace stair::driver
