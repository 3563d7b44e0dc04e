#include "frontend/trained.h"

#include <utility>

#include "frontend/options.h"
#include "ir/text.h"

namespace stair::driver {

Trained load_trained(const std::string& run_or_checkpoint) {
  const std::string path = checkpoint_path(run_or_checkpoint);
  Trained trained;
  trained.checkpoint = runtime::load_checkpoint(path);
  trained.experiment = read_experiment(parse_json(trained.checkpoint.experiment, path + " (experiment)"), path, "");
  trained.experiment.model = ir::parse(trained.checkpoint.model, path + " (model)");
  trained.quantized = !trained.checkpoint.recipe.empty();
  trained.recipe = trained.quantized ? passes::recipe_from_json(trained.checkpoint.recipe) : trained.experiment.recipe;
  return trained;
}

}  // namespace stair::driver
