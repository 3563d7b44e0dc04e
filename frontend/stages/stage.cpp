#include "frontend/stages/stage.h"

#include <algorithm>
#include <utility>

namespace stair::stages {

ir::AttributeSpec recipe_attribute(std::string doc) {
  ir::AttributeSpec spec = passes::recipe_spec();
  spec.doc = std::move(doc);
  spec.json_types = {"string", "object"};
  spec.definition = "recipe";
  return spec;
}

std::vector<ir::KindSpec> stage_specs() {
  std::vector<ir::KindSpec> specs = ir::kinds_of(stage_kinds());
  std::stable_partition(specs.begin(), specs.end(), [](const ir::KindSpec& spec) { return !stage_kinds().find(spec.name)->quantizes; });
  return specs;
}

}  // namespace stair::stages
