#pragma once

#include <span>
#include <string>

#include "ir/graph.h"
#include "passes/recipe.h"
#include "runtime/tensor.h"

namespace stair::frontend {

/// Gives the states of quantizers that are trained, and that have no value yet, their first ones, which follow from the weights and from
/// float inference on the first batch: all of it, as the model's inputs, so that shards and processes agree. Before the first step or the
/// calibration of a model under a recipe that it hasn't been trained with.
void give_first_values(const ir::Graph& model, const passes::Recipe& recipe, std::span<const ir::TensorView> first_batch,
                       runtime::Tensors& states);

/// Erases what of the recipe's quantizers is trained, unless `before`, the JSON of the recipe that the states come from ("": none), has the
/// same quantizers: a step of 8 bits is none of 4. A schedule says only when they are on.
void forget_other_quantizers(const ir::Graph& model, const std::string& before, const passes::Recipe& recipe, runtime::Tensors& states);

}  // namespace stair::frontend
