#pragma once

#include <cstdint>
#include <string>

#include "frontend/readers/json_file.h"
#include "tests/frontend/process.h"

namespace stair::tests {

/// IDX files NAME.images and NAME.labels: `count` grey pictures of the size, with labels 0 to 3 that stripes tell.
void write_pictures(const TemporaryFolder& folder, const std::string& name, std::uint32_t count, std::uint32_t size = 12);

/// A model of 12x12 pictures: convolution, batch-norm, ReLU, pooling, dropout, linear.
ir::Json small_model();

/// Float, calibrate ("ptq") and qat stages over 96 pictures in batches of 8; relative paths to the files of write_pictures(…, "train")
/// and "test".
ir::Json small_experiment();

/// The experiment as exp.json, with its data, in the folder.
void write_experiment(const TemporaryFolder& folder);

/// Writes the experiment and trains it on one thread, in place of what the run's folder held.
Outcome train_quietly(const TemporaryFolder& folder, const ir::Json& json, const std::string& run = "run");

}  // namespace stair::tests
