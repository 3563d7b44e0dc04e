#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/importers/onnx/model.h"
#include "ir/graph.h"
#include "ir/json.h"
#include "passes/recipe.h"
#include "runtime/tensor.h"

namespace stair::frontend::onnx {

/// What the file leaves open.
struct Options {
  std::map<std::string, ir::Shape> input_shapes = {};  ///< by input: of one example, without the batch
  /// Dimension 0 of the inputs counts the examples; else the whole input is one.
  bool batched = true;
};

/// A model that has been imported, or why it can't be.
struct Made {
  ir::Json json;                              ///< the model JSON
  ir::Graph graph;                            ///< that it is read as
  runtime::Tensors weights;                   ///< the graph's states, by name; of a quantized file those of its quantizers, too
  std::optional<passes::Recipe> recipe = {};  ///< of a quantized file: with the weights it computes the file's integers
  std::vector<std::string> otherwise = {};    ///< nodes of it that runtimes are known to compute by other rules
  std::vector<std::string> problems;          ///< one a node: "node 'a' (Conv, opset 13): …"; all else is empty then
};

/// Makes a model of the file's, and of a quantized one what it takes to compute its integers. Error for what is wrong with the file as a
/// whole; what can't be had of its nodes is listed. `seed`: of the model's random ops.
Made import(const Model& model, const Options& options, std::uint64_t seed);

/// Error with all problems in one line, if there are any.
void expect_none(const std::vector<std::string>& problems, const std::string& path);

}  // namespace stair::frontend::onnx
