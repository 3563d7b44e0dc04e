#pragma once

#include <string>

#include "ir/graph.h"
#include "passes/recipe.h"

namespace stair::readers {

/// What `--recipe` was given for this model: a recipe's name, JSON, or a .json file. Error naming the option or the file for what is no
/// recipe, and for what it says without effect on the model (check_recipe_settings).
passes::Recipe recipe_for(const ir::Graph& model, const std::string& given);

}  // namespace stair::readers
