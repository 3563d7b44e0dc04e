#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "ir/graph.h"

namespace stair::backends {

/// The least and the largest of the elements seen so far; a NaN is passed over. In which order they are seen changes nothing but, of zeros,
/// the sign.
struct Extent {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

  // A NaN compares false.
  void see(float x_low, float x_high) {
    low = x_low < low ? x_low : low;
    high = x_high > high ? x_high : high;
  }
  void see(const Extent& other) { see(other.low, other.high); }
  void see(const float* x, std::int64_t count);
};

/// All of them, in order.
Extent joined(std::span<const Extent> extents);

/// What observe_min_max and observe_moving_average make of the bounds that they have (`low`, `high`) and of what a batch has shown.
using Observer = Extent (*)(const ir::Node& node, const Extent& batch, float low, float high);
Extent min_max(const ir::Node& node, const Extent& batch, float low, float high);
Extent moving_average(const ir::Node& node, const Extent& batch, float low, float high);
/// The observer of such a node; nullptr of another one.
Observer observer_of(const ir::Node& node);

}  // namespace stair::backends
