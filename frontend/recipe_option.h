#pragma once

#include <string>

#include "passes/recipe.h"

namespace stair::driver {

/// What `--recipe` was given: a recipe's name, JSON, or a .json file. Error naming the option or the file.
passes::Recipe recipe_given(const std::string& given);

}  // namespace stair::driver
