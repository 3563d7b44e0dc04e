#pragma once

#include <string>

#include "frontend/readers/json_file.h"
#include "ir/graph.h"

namespace stair::readers {

/// What is done with a recipe.
struct RecipeUse {
  bool calibrates = true, trains = true;
  std::string untrained = "there is no qat stage";  ///< why it doesn't train
};

/// Refuses what a recipe, as a user wrote it, says without any effect on the model: a key whose value changes no graph that calibration,
/// training or inference runs, an override that matches nothing or sets what its layers don't have. The keys of a named base are no user's;
/// those of other kinds read_recipe() tells. Error "WHERE/POINTER: …"; `where` is the place of the recipe.
void check_recipe_settings(const Json& given, const ir::Graph& model, const RecipeUse& use, const std::string& where);

}  // namespace stair::readers
