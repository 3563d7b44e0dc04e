#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ir/graph.h"
#include "passes/recipe.h"
#include "runtime/tensor.h"

namespace stair::frontend {

/// An integer q stands for (q - zero_point) * scale.
struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0;
};

/// What the integers of a deployment graph stand for, by the names of its values. A deployment graph needs less: its multipliers have
/// the scales in them.
struct Quantizations {
  std::map<std::string, Quantization, std::less<>> activations;
  runtime::Tensors weights;  ///< by the sum that they make: their scale, f32, one or one a channel
};

/// Of deploy()'s graph for that model, recipe and states. Error as deploy() throws.
Quantizations quantizations_of(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states);

}  // namespace stair::frontend
