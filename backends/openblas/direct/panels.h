#pragma once

#include <cstdint>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/sgemm.h"

namespace stair::backends::openblas::direct {

/// A matrix of weights [taps, channels] cut into panels of channels, as wide as vectors of them fit into registers beside some positions,
/// and into steps of taps whose weights stay in the first-level cache.
class Panels {
 public:
  Panels(std::int64_t channels, std::int64_t taps);

  std::int64_t count() const { return count_; }
  std::int64_t first_channel(std::int64_t panel) const { return panel * width_; }
  /// Of the panel, without what fills it up to whole vectors.
  std::int64_t channels(std::int64_t panel) const;
  /// Of the panel, whole vectors.
  std::int64_t width(std::int64_t panel) const;
  std::int64_t taps() const { return taps_; }
  /// Taps of a step; the last may have fewer.
  std::int64_t step() const { return step_; }

  /// Floats of the packed weights: [panel][tap][channel of the panel].
  std::int64_t packed_floats() const;
  void pack(Matrix w, float* packed, int threads) const;
  /// Packs the step that begins with `tap`: [tap][channel of the panel].
  void pack_step(Matrix w, std::int64_t panel, std::int64_t tap, float* to) const;

  /// What a panel is multiplied with.
  struct Positions {
    const float* source;
    const std::int32_t* offsets;  ///< of all taps
    const std::int32_t* positions;
    std::int64_t count;  ///< at best up to most_positions
  };
  /// sums[i * width(panel) + o] = the sum over t of source[offsets[t] + positions[i]] * w[t, first_channel(panel) + o], in the order of the
  /// taps.
  void multiply(std::int64_t panel, const float* packed, const Positions& positions, float* sums) const;
  /// Adds the step that begins with `tap` to the sums of those before, `sums_stride` from position to position, and fetches `ahead`
  /// meanwhile. Writes whole vectors.
  void multiply_step(std::int64_t panel, std::int64_t tap, const float* packed_step, const Ahead& ahead, const Positions& positions,
                     float* sums, std::int64_t sums_stride) const;

 private:
  std::int64_t channels_, taps_;
  std::int64_t width_, count_;
  std::int64_t step_;
};

/// So many positions' sums stay in the caches, and pay for fetching the weights.
inline constexpr std::int64_t most_positions = 208;

}  // namespace stair::backends::openblas::direct
