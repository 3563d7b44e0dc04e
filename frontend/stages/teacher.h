#pragma once

#include <memory>

#include "frontend/compile.h"
#include "frontend/readers/experiment.h"
#include "runtime/step.h"

namespace stair::stages {

/// The float model of a checkpoint, whose outputs a loss (distillation) holds the model's against, for batches of that size: none where the
/// experiment's loss has no teacher. Error "SOURCE /loss/teacher: …" where the checkpoint's model takes or yields something else than the
/// experiment's, or has been trained on pictures that were scaled otherwise, and as readers::load_trained() throws.
runtime::Teacher teacher_of(const readers::Experiment& experiment, std::int64_t batch, const frontend::CompileOptions& options);

}  // namespace stair::stages
