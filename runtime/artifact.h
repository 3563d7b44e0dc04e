#pragma once

#include <string>
#include <vector>

#include "ir/arithmetic_version.h"
#include "ir/graph.h"
#include "runtime/batches.h"
#include "runtime/tensor.h"

namespace stair::runtime {

inline constexpr int artifact_version = 2;  ///< of the format that is written; all from 1 on are read

/// How what a user has becomes an input of the graph.
struct InputForm {
  Normalization normalization;  ///< that the model was trained with
  ExampleForm images;           ///< what it was trained on
};

/// Those of a model with so many inputs, of which none is said, or one an input.
std::vector<InputForm> input_forms(const Normalizations& normalizations, const std::vector<ExampleForm>& forms, std::size_t count);

/// What is deployed, in one file (docs/format-artifact.md): the integer graph as text, its constants (integer weights packed at their
/// width), and how pictures become the graph's inputs.
struct Artifact {
  ir::Graph graph;  ///< batch 1
  Tensors constants;
  std::string recipe;                       ///< JSON
  std::vector<InputForm> inputs;            ///< one an input of the graph, in its order
  int arithmetic = ir::arithmetic_version;  ///< the version that its integers were made in; every version runs as it stands
};

/// Replaces the file at once; returns its size in bytes.
std::size_t save_artifact(const Artifact& artifact, const std::string& path);
/// Error naming the file where it is missing, damaged, foreign or of a newer version.
Artifact load_artifact(const std::string& path);

}  // namespace stair::runtime
