#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// A node of a deployment graph that computes in float on what was integers before it.
struct FloatNode {
  std::string node, op;
  std::string reason;
  bool before_quantizer = false;  ///< integers follow, too: a float island
};

/// Those nodes, in order, each with the reason why it runs on no integers: what its op says (IntegerForm::note), or what around it is
/// float. Dequantizing and quantizing are the edges of such an island, no part of it.
std::vector<FloatNode> float_nodes(const ir::Graph& deployment);

/// A line for each that integers follow, "float between quantizers: 'softmax' (softmax): …"; with float activations a line that says so;
/// nothing where all is integers.
std::string describe_float_islands(const ir::Graph& deployment);

}  // namespace stair::passes
