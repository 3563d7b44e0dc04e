#pragma once

#include <string>

#include "tests/fuzz/draws.h"
#include "tests/support/onnx_file.h"

namespace stair::tests {

/// A graph with a node of most operators, of pictures [N,4,6,6], with one output each: what changes of it meets its import.
OnnxGraph onnx_graph_of_many();

/// The file of the graph with some things changed: operators, what nodes read, attributes and dimensions at their limits, constants,
/// types, opsets; or with bytes changed, which mostly leaves no message of protobuf.
std::string mutate_onnx(OnnxGraph graph, Draws& draws);

}  // namespace stair::tests
