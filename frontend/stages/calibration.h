#pragma once

#include <cstdint>
#include <span>

#include "frontend/compile.h"
#include "frontend/readers/experiment.h"
#include "runtime/dataset.h"

namespace stair::stages {

/// Forgets what the recipe's observers have seen, and lets them watch the first `count` batches of training data in float inference: in the
/// order of the first epoch, not augmented. Error naming batch and observer where a range isn't finite (N-FINITE).
void calibrate_ranges(const readers::Experiment& experiment, const passes::Recipe& recipe, const runtime::Dataset& data, std::int64_t count,
                      runtime::Tensors& states, const frontend::CompileOptions& options);

/// The batches that calibration watches where `asked` are (0: nothing is said) and the training data has `available`.
std::int64_t calibration_batches(std::int64_t asked, std::int64_t available);

/// Runs a calibration graph on a batch, with the same errors.
void observe(runtime::Executor& executor, std::span<const ir::TensorView> inputs, std::int64_t batch);

}  // namespace stair::stages
