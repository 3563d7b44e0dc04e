#pragma once

#include <string>
#include <vector>

#include "ir/attribute_spec.h"

namespace stair::readers {

/// The keys of an experiment JSON (docs/format-experiment-json.md). "model", "recipe" and the files of "data" have readers of their own.
const std::vector<ir::AttributeSpec>& experiment_keys();
/// A key of a part of the data, beside those of its format.
const ir::AttributeSpec& only_key();
/// "mean" or "std" of an input.
ir::AttributeSpec channel_numbers(const std::string& key);
/// Those of "start" where it is an object.
const std::vector<ir::AttributeSpec>& start_keys();

}  // namespace stair::readers
