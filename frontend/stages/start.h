#pragma once

#include <string>
#include <vector>

#include "frontend/readers/experiment.h"
#include "ir/graph.h"
#include "runtime/tensor.h"

namespace stair::stages {

/// What became of the tensors that a model could start from.
struct Started {
  std::vector<std::string> taken;
  std::vector<std::string> left;  ///< that begin anew, each with the reason: "fc.weight (f32[10,64] there, f32[100,64] here)"
};

/// Takes tensors of the start's checkpoint into `states`: the model's, and the ranges of `watching`, the model with its first stage's
/// observers, as far as the checkpoint has them. A start that is only a checkpoint must hold each tensor of the model, of the same type;
/// one that chooses takes what fits. Error "SOURCE /start/…" where the checkpoint lacks what is asked for, and where a pattern or a name
/// takes nothing.
Started take_start(const readers::Experiment& experiment, const ir::Graph& watching, runtime::Tensors& states);

/// One line for people: how many were taken, and which weren't.
std::string describe(const Started& started, const std::string& checkpoint);

}  // namespace stair::stages
