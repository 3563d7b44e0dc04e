#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frontend/readers/json_file.h"
#include "ir/graph.h"

namespace stair::readers {

/// Makes the graph of a model JSON (docs/format-model-json.md): training form, batch 1, output "logits" or those that it names. `seed` is
/// that of its random ops (dropout). Error naming source, JSON pointer and layer for what the schema or an op refuses, and for what has no
/// effect: a layer or one of several inputs that nobody reads (unless an output cuts the layer off), the dilation of a kernel of 1. Of the
/// latter, `idle` takes the messages instead: runs have begun with such models.
ir::Graph read_model(const Json& json, const std::string& source, std::uint64_t seed, std::vector<std::string>* idle = nullptr);

}  // namespace stair::readers
