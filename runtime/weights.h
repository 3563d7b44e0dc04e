#pragma once

#include <string>

#include "runtime/tensor.h"

namespace stair::runtime {

inline constexpr int weights_version = 1;  ///< of the format

/// A safetensors file of a model's states by name, and nothing else (docs/format-checkpoint.md, "Weights"): what an imported model starts
/// from.
void save_weights(Tensors weights, const std::string& path);
/// Whether the bytes are of such a file, as its header says.
bool holds_weights(const std::string& bytes);
/// Error naming `path` where the bytes are damaged, foreign or of a newer version.
Tensors weights_from(const std::string& bytes, const std::string& path);

}  // namespace stair::runtime
