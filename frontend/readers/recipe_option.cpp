#include "frontend/readers/recipe_option.h"

#include "frontend/readers/json_file.h"
#include "frontend/readers/recipe_settings.h"
#include "ir/error.h"

namespace stair::readers {

passes::Recipe recipe_for(const ir::Graph& model, const std::string& given) {
  const bool is_file = given.ends_with(".json");
  const std::string source = is_file ? given : "--recipe";
  const Json json = is_file ? load_json(given) : given.starts_with("{") ? parse_json(given, source) : Json(given);
  std::vector<std::string> idle;
  passes::Recipe recipe = passes::read_recipe(json, source + ": recipe", "", &idle);
  if (!idle.empty()) throw Error(idle.front());
  check_recipe_settings(json, model, {}, source + ": recipe ");
  return recipe;
}

}  // namespace stair::readers
