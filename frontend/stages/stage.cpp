#include "frontend/stages/stage.h"

#include <algorithm>

namespace stair::stages {

std::vector<ir::KindSpec> stage_specs() {
  std::vector<ir::KindSpec> specs = ir::kinds_of(stage_kinds());
  std::stable_partition(specs.begin(), specs.end(), [](const ir::KindSpec& spec) { return !stage_kinds().find(spec.name)->quantizes; });
  return specs;
}

}  // namespace stair::stages
