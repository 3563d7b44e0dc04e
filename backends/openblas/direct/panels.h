#pragma once

#include <cstdint>

namespace stair::backends::openblas::direct {

/// A matrix of weights [channels, taps] cut into panels of channels, as wide as vectors of them fit into registers beside some positions.
class Panels {
 public:
  Panels(std::int64_t channels, std::int64_t taps);

  std::int64_t count() const { return count_; }
  std::int64_t first_channel(std::int64_t panel) const { return panel * width_; }
  /// Of the panel, without what fills it up to whole vectors.
  std::int64_t channels(std::int64_t panel) const;
  /// Of the panel, whole vectors.
  std::int64_t width(std::int64_t panel) const;

  /// Floats of the packed weights: [panel][tap][channel of the panel].
  std::int64_t packed_floats() const;
  void pack(const float* w, float* packed, int threads) const;

  /// sums[i * width(panel) + o] = the sum over t of source[offsets[t] + positions[i]] * w[first_channel(panel) + o, t], in the order of the
  /// taps. At best for up to most_positions.
  void multiply(std::int64_t panel, const float* packed, const float* source, const std::int32_t* offsets, const std::int32_t* positions,
                std::int64_t position_count, float* sums) const;

 private:
  std::int64_t channels_, taps_;
  std::int64_t width_, count_;
  std::int64_t tap_step_;  ///< whose weights stay in the first-level cache
};

/// So many positions' sums stay in the caches, and pay for fetching the weights.
inline constexpr std::int64_t most_positions = 96;

}  // namespace stair::backends::openblas::direct
