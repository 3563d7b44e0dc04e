#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "ir/graph.h"

namespace stair::backends {

/// The least and the largest of the elements seen so far; a NaN is passed over. In which order they are seen changes nothing but, of zeros,
/// the sign.
struct MinMax {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

  // A NaN compares false.
  void see(float x_low, float x_high) {
    low = x_low < low ? x_low : low;
    high = x_high > high ? x_high : high;
  }
  void see(const MinMax& other) { see(other.low, other.high); }
  void see(const float* x, std::int64_t count);
};

/// All of them, in order.
MinMax joined(std::span<const MinMax> bounds_seen);

/// What an observer knows: the bounds and, of one that counts, the batches that it has seen.
struct Seen {
  MinMax bounds;
  std::int64_t count = 0;

  /// From an observer's operands behind x, or from its results.
  static Seen load(std::span<const ir::TensorView> tensors);
  void store(std::span<const ir::TensorView> tensors) const;
};

/// What an observer (observe_min_max, observe_average) makes of what it knows and of what a batch has shown.
using Observer = Seen (*)(const ir::Node& node, const MinMax& batch, const Seen& before);
/// The observer of such a node; nullptr of another one.
Observer observer_of(const ir::Node& node);

}  // namespace stair::backends
