#pragma once

#include <nlohmann/json.hpp>

#include "ir/graph.h"
#include "tests/fuzz/draws.h"

namespace stair::tests {

/// The model JSON of a graph in training form whose states are the parameters of its layers. What may be written in two ways (a number
/// or a list, the layer before or its name) is drawn.
nlohmann::ordered_json model_json(const ir::Graph& model, Draws& draws);

}  // namespace stair::tests
