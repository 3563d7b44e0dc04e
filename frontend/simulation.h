#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "frontend/verification.h"

namespace stair::driver {

/// The fake-quantized float graph from before realization, in double precision: each activation quantizer is evaluated on the integers that
/// the realized graph feeds into its layer (dequantized), with the layer's quantized weights and, where the recipe has it, quantized bias.
class Simulation {
 public:
  /// `model` at the batch that compare() is given; `states` must outlive the simulation.
  Simulation(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, int threads);
  ~Simulation();

  /// Compares the first `count` images; adds to `into`, one entry a quantizer.
  void compare(const ir::TensorView& images, std::int64_t first_image, std::int64_t count, std::vector<SimulationComparison>& into);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stair::driver
