#pragma once

#include "ir/graph.h"
#include "passes/recipe.h"
#include "runtime/tensor.h"

namespace stair::frontend {

/// Gives the states of quantizers that are trained, and that have no value yet, their first ones, which follow from the weights. Before the
/// first step, calibration or export of a model under a recipe that it hasn't been trained with.
void give_first_values(const ir::Graph& model, const passes::Recipe& recipe, runtime::Tensors& states);

}  // namespace stair::frontend
