#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/verification/judge.h"

namespace stair::verification {

/// The graph of evaluation before and right behind realize_integers: the second runs, and its integers are judged by the first.
class Simulation {
 public:
  /// `model` at the batch that run() is given; `states` must outlive the simulation.
  Simulation(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, int threads);
  ~Simulation();

  Judge& judge();
  /// Computes the integers of a batch, a tensor an input. Before the first run constants have no values.
  void run(std::span<const ir::TensorView> inputs);
  /// A value that the judge reads.
  ir::TensorView value(ir::ValueId realized) const;
  const ir::Graph& realized() const;
  /// Whether the judge judges that value of the realized graph for each image.
  bool asks(ir::ValueId realized) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stair::verification
