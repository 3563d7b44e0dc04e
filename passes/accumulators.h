#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"

namespace stair::passes {

/// What is known of one int32 accumulator (N-ACC).
struct AccumulatorBound {
  std::string node;
  std::int64_t bound = 0;     ///< no |sum + integer bias| passes it, nor any partial sum
  int bits = 0;               ///< of a signed integer that holds ±bound
  bool from_weights = false;  ///< proven from the actual weights, not from shapes and widths alone
};

/// The tensor of a state, or one without data where it isn't known yet.
using ConstantLookup = std::function<ir::TensorView(const std::string& state)>;

/// Proves for each accumulating node of a realized graph that its int32 sum can't overflow, from shapes and bit widths, or from the actual
/// weights and biases where `constants` knows them (deployment). Throws Error naming the first node for which it can't be excluded, the
/// bits that it may need and what would help.
std::vector<AccumulatorBound> prove_accumulators(const ir::Graph& graph, const ConstantLookup& constants);

}  // namespace stair::passes
