#pragma once

#include <map>
#include <string>

#include "frontend/readers/json_file.h"
#include "frontend/readers/model_faults.h"
#include "ir/graph.h"

namespace stair::readers {

/// Where a model JSON says a thing: JSON pointers of inputs and nodes, by name.
using Places = std::map<std::string, std::string>;

/// Error at the layer where examples of a batch meet (ir/examples.h), or at the output where they lie elsewhere than along dimension 0.
void check_examples_apart(const ir::Graph& graph, const Json& model, const Places& places, const ModelFaults& faults);

/// Layers that nobody reads, and of several inputs those that lead to no output, have no effect. What stands below `last`, the last layer
/// that an output names, has been cut off by whoever names outputs.
void check_effects(const ir::Graph& graph, const Json& model, ir::ValueId last, const Places& places, const ModelFaults& faults);

/// The place of a value, "/layers" where none is known.
std::string place_of(const ir::Graph& graph, ir::ValueId value, const Places& places);

}  // namespace stair::readers
