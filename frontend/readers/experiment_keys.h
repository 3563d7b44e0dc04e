#pragma once

#include <vector>

#include "ir/attribute_spec.h"

namespace stair::readers {

/// The keys of an experiment JSON (docs/format-experiment-json.md). "model", "recipe" and the files of "data" have readers of their own.
const std::vector<ir::AttributeSpec>& experiment_keys();
/// Those of "start" where it is an object.
const std::vector<ir::AttributeSpec>& start_keys();

}  // namespace stair::readers
