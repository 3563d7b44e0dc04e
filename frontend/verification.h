#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"

namespace stair::driver {

/// `stair verify`: the deployed integers are those of training (N-SAME), and both are those that the simulated graph stands for.
///
/// Three programs run over the same images: the forward half of the training graph (batch-norm frozen), from the checkpoint; the artifact,
/// on every backend and number of threads; and the fake-quantized float graph from before realization, in double precision, node by node on
/// the integer graph's own inputs and quantized biases, so that the comparison isn't of the realization with itself.
struct VerifyOptions {
  std::vector<const backends::Backend*> backends = backends::every();
  std::vector<int> threads = {1, 2};
  bool simulate = true;  ///< hold the integers against the float graph in double precision, too
};

/// Images [count, ...] f32 padded to the batch; only the first `count` are compared.
struct VerifyBatch {
  ir::TensorView images;
  std::int64_t count = 0;
};
/// The batch of that index; all batches have one size.
using VerifyBatches = std::function<VerifyBatch(std::int64_t index)>;

/// The first element that differs, in the order of the deployment graph.
struct Difference {
  std::string node, op;
  std::int64_t image = -1;  ///< -1 in a constant
  std::int64_t index = 0;   ///< within the image (or the constant), row-major
  double expected = 0, found = 0;
};

/// The artifact on one backend and number of threads (or its constants) against training.
struct IntegerComparison {
  std::string subject;
  std::int64_t elements = 0;
  std::int64_t mismatches = 0;
  std::optional<Difference> first;
};

/// A quantizer's integers against the float graph.
struct SimulationComparison {
  std::string node;
  std::int64_t elements = 0;
  std::int64_t off_by_one = 0;
  std::int64_t off_by_more = 0;
  std::optional<Difference> first;  ///< off by more than one
};

struct Verification {
  std::int64_t images = 0;
  std::vector<IntegerComparison> integers;
  std::vector<SimulationComparison> simulation;
  double allowed_off_by_one = 0;  ///< share: 1 in 5,000, or 1 in 50 with fixed-point requantization
  std::vector<std::string>
      behind_floats;  ///< integer nodes that read sums of floats (skipped layers, weight-only recipes): not compared across backends
  double largest_float_difference = 0;  ///< of the outputs behind such sums, relative to the largest magnitude
  double allowed_float_difference = 1e-4;

  std::int64_t elements() const;
  std::int64_t mismatches() const;
  std::int64_t off_by_one() const;
  std::int64_t off_by_more() const;
  std::int64_t simulated_elements() const;
  bool holds() const;
};

/// `model` is the frontend's graph, `states` the checkpoint's, `artifact` and `constants` what was deployed. Error where the artifact isn't
/// of this model and recipe (a node or constant that training doesn't know).
Verification verify(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const ir::Graph& artifact,
                    runtime::Tensors& constants, const VerifyBatches& batches, std::int64_t batch_count, const VerifyOptions& options);

}  // namespace stair::driver
