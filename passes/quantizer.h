#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::passes {

class Recipe;

/// What a quantizer works with: it appends nodes and states to a graph.
struct QuantizerContext {
  ir::Graph& graph;
  const Recipe& recipe;
  const ir::Attributes& options;  ///< the recipe's "weights" or "activations", complete
  ir::ValueId value;              ///< floats
  std::string name;               ///< of the trained weights or the activation, which states are named after
  bool first_values;              ///< the graph gives states their first values, and nothing else
  std::vector<std::pair<ir::ValueId, ir::ValueId>>& updates;

  /// A state NAME.SUFFIX.
  ir::ValueId state(const char* suffix, const ir::Type& type, ir::State state) const;
  /// What the state has before its first step: the value that `make` emits, in the graph of first values.
  void first_value(ir::ValueId state, const std::function<ir::ValueId()>& make) const;
  /// The results of a node, named after the value.
  std::vector<ir::ValueId> emit(const char* op, std::vector<ir::ValueId> operands, const char* suffix,
                                ir::Attributes attributes = {}) const;
};

/// Of the weights of one layer, output channels first.
struct WeightContext : QuantizerContext {
  int bits;             ///< of the layer; 0 where the method has no such number
  bool channels_first;  ///< the first axis is the output channel; else a scale is the tensor's
  bool trains;          ///< the graph is a training step, or else evaluates

  bool per_channel() const;
  /// The attributes that every op has that simulates integers: the estimator, and what the backward pass multiplies by.
  ir::Attributes simulated(ir::Attributes others = {}) const;
};

/// How weights become integers: one file in passes/quantizers.
struct Quantizer {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes = {};
  bool float_activations = false;  ///< goes with float activations only
  bool powers_of_two = true;       ///< its scales are powers of two where the recipe asks for that
  /// Bits of a weight.
  std::function<int(const ir::Attributes& options)> bits;
  /// What layers read in place of the weights: floats that stand for integers (OpSchema::integer, quantizer), or the weights themselves.
  std::function<ir::ValueId(const WeightContext&)> simulate;
};

using QuantizerRegistry = ir::Registry<Quantizer>;
const QuantizerRegistry& quantizers();

/// The attributes of quantizers with scales and a number of bits; the bits among them.
std::vector<ir::AttributeSpec> scaled_weights();
inline int bits_of(const ir::Attributes& options) {
  return static_cast<int>(options.integer("bits"));
}

}  // namespace stair::passes
