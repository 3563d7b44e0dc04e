#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/frontend/process.h"

namespace stair::tests {

/// A short experiment that writes much: three stages of a few steps each, a checkpoint behind every step. The folder gets its data and
/// exp.json.
void write_tiny_experiment(const TemporaryFolder& folder);

/// What trains it into `run`; with --resume where that has a checkpoint already.
std::vector<std::string> tiny_training(const TemporaryFolder& folder, const std::string& run);

/// The bytes of the checkpoints and artifacts of a run by name: what no disturbance may change.
std::map<std::string, std::string> results_of(const TemporaryFolder& folder, const std::string& run);

/// Files of the run that a write has left behind half-done.
std::vector<std::string> temporary_files(const TemporaryFolder& folder, const std::string& run);

}  // namespace stair::tests
