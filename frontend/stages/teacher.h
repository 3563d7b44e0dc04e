#pragma once

#include <cstdint>
#include <optional>

#include "frontend/compile.h"
#include "frontend/readers/experiment.h"
#include "runtime/step.h"

namespace stair::stages {

/// What each of the experiment's losses takes of batches of that size: labels, and what the float model of a checkpoint makes of the same
/// inputs where it has a teacher (distillation). Error "SOURCE /loss/teacher: …" where the checkpoint's model takes or yields something
/// else than the experiment's, or has been trained on pictures that were scaled otherwise, and as readers::load_trained() throws.
runtime::LossFeeds loss_feeds(const readers::Experiment& experiment, std::int64_t batch, const frontend::CompileOptions& options);

/// Of the bytes of the loss's teacher, CRC-32; none where it has no teacher. Error "SOURCE /loss/teacher: …" where it can't be read.
std::optional<std::uint32_t> teacher_checksum(const readers::Experiment& experiment, const readers::Objective& objective);

}  // namespace stair::stages
