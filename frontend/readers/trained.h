#pragma once

#include <string>

#include "frontend/readers/experiment.h"
#include "runtime/checkpoint.h"

namespace stair::readers {

/// A checkpoint with the experiment that it is of, and moving averages in the place of the weights that they are averages of.
struct Trained {
  runtime::Checkpoint checkpoint;
  Experiment experiment;
  passes::Recipe recipe;   ///< the checkpoint's; the experiment's where it has none
  bool quantized = false;  ///< the checkpoint has been calibrated or trained with the recipe
};

/// Error naming the file unless it holds every state of the model, of the model's type and finite.
void check_holds(const runtime::Tensors& states, const ir::Graph& model, const std::string& path);

/// The states that a model may start from: those of a checkpoint, moving averages in the place of what they are averages of, of weights
/// alone (runtime/weights.h), or of a model's file that holds its weights (ONNX). Error naming the file.
runtime::Tensors load_states(const std::string& path);

/// The file that is meant by a checkpoint or the folder of a run: of a run where it stands.
std::string checkpoint_file(const std::string& run_or_checkpoint);

/// From a checkpoint file or a run's folder. Error naming the file.
Trained load_trained(const std::string& run_or_checkpoint);

}  // namespace stair::readers
