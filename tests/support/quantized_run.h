#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/verification/verification.h"

namespace stair::tests {

/// A model trained a few quantized steps on random data, and what is deployed of it.
struct QuantizedRun {
  ir::Graph model;
  passes::Recipe recipe;
  runtime::Tensors states;
  frontend::Deployment deployment;
};

/// Trains `steps` steps of the recipe (JSON) by SGD, each output with a loss of its own. Random images and labels are functions of `seed`.
/// A loss that isn't finite is an Error. `states` hold first values; those that are missing follow from the initializers.
QuantizedRun quantized_run(ir::Graph model, const std::string& recipe, int steps, std::uint64_t seed = 0, runtime::Tensors states = {});

/// Verifies over two batches of random images, of which the second is padded: one image of it doesn't count.
verification::Verification verify_run(QuantizedRun& run, const verification::VerifyOptions& options = {});

/// Uniform in [-0.5, 1.5).
runtime::Tensor random_images(const ir::Type& type, std::uint64_t seed);
/// One an input of the model; of indices some are beyond the rows.
std::vector<runtime::Tensor> random_inputs(const ir::Graph& model, std::uint64_t seed);
/// The same with indices of rows that there are, as formats have it that know no others.
std::vector<runtime::Tensor> random_valid_inputs(const ir::Graph& model, std::uint64_t seed);

}  // namespace stair::tests
