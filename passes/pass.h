#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attributes.h"
#include "ir/graph.h"
#include "ir/op.h"

namespace stair::passes {

/// Integers that stand for a float value: (q - zero_point) * scale. `value` is of the graph that the pass was given, the rest is of its
/// result; without a zero point it is 0.
struct Integers {
  ir::ValueId value = ir::absent;
  ir::ValueId q = ir::absent, scale = ir::absent, zero_point = ir::absent;
  // Of a quantizer of activations:
  ir::ValueId rounded = ir::absent;     ///< what the integer op yields: `q`, unless that is a reshape of it
  ir::ValueId clamp = ir::absent;       ///< of the graph that the pass was given: the clamp before the quantizer that the op takes in
  std::vector<ir::ValueId> parts = {};  ///< of a concatenation: the integers of its operands, of this scale and zero point
};

/// A sum that stands for a float value, of a layer or of the batch-norm that folds into it: (sum + bias) * step, where `sum` is of the
/// integers of `x` times `weight` (N-ACC). `value` and `x` are of the graph that the pass was given, the rest is of its result.
struct IntegerSum {
  ir::ValueId value = ir::absent;
  ir::ValueId x = ir::absent;             ///< the float value whose integers the layer reads
  ir::ValueId sum = ir::absent;           ///< int32
  ir::ValueId weight = ir::absent;        ///< the integers that it multiplies by; of a product of two activations those of the second
  ir::ValueId weight_scale = ir::absent;  ///< f32, one or one a channel
  ir::ValueId step = ir::absent;          ///< f32, one or one a channel
  ir::ValueId bias = ir::absent;          ///< int32; absent where there is none and where it stays a float (N-BIAS)
  ir::ValueId float_bias = ir::absent;    ///< what the int32 bias was made of
};

/// What a pass gives back: the new graph and what it changed, one line a change ("folded bn1 into conv1"). A pass that makes integers says
/// which stand for what; nobody has to read that out of names.
struct Result {
  ir::Graph graph;
  std::vector<std::string> changes;
  std::vector<Integers> integers = {};
  std::vector<IntegerSum> sums = {};
};

/// A pass is a function from graph and options to graph. Options are attributes, so that `stair opt --passes 'NAME{key=value}'` can give
/// them in the text form; the specs name the kinds and defaults.
struct Pass {
  std::string name;
  std::string summary;  ///< what it does and what it expects, a sentence or two
  std::vector<ir::AttributeSpec> options = {};
  std::function<Result(const ir::Graph& graph, const ir::Attributes& options)> run;
};

using PassRegistry = ir::Registry<Pass>;

/// The registry with every file of passes/transforms in it.
const PassRegistry& registry();

/// A pass by name with the options it is to run with.
struct Step {
  std::string pass;
  ir::Attributes options = {};
};
using Pipeline = std::vector<Step>;

/// Called after each pass with its name, its result and what it changed.
using Observer = std::function<void(const Step&, const Result&)>;

/// Runs one pass: completes and checks its options (Error with the nearest name), runs it, and verifies the graph that it yields.
Result run(const Step& step, const ir::Graph& graph);
/// Runs the steps in order. What they make gives way to the names of the graph that the first is given.
ir::Graph run(const Pipeline& pipeline, ir::Graph graph, const Observer& observer = {});

}  // namespace stair::passes
