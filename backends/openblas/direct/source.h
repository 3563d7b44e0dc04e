#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/planes.h"

namespace stair::backends::openblas::direct {

/// Whether output pixels read the input pixels of their own places, and no others: 1x1, stride 1, no padding.
bool pointwise(const Window& window);

/// What the output rows of a tile read of one group of an image's channels: the image itself where it is in order (pointwise), else a copy
/// (Planes). Output pixel (r, i) of the tile, tap t, reads at(...)[offsets()[t] + r * pitch() + i].
class Source {
 public:
  /// `rows` output rows a tile. In place only where each tile has `least` positions.
  Source(const Window& window, std::int64_t rows, std::int64_t least);

  bool in_place() const { return !planes_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t pitch() const { return pitch_; }
  const std::vector<std::int32_t>& offsets() const { return planes_ ? planes_->offsets() : offsets_; }
  /// Of the copy, whole cache lines. Behind the last position of a copy, but not of an image, there is room for a vector.
  std::int64_t floats() const { return planes_ ? line_up(planes_->floats()) : 0; }

  /// The source of the tile that begins with output row `first`; a copy is made at `memory`.
  const float* at(const float* image, std::int64_t first, float* memory) const;

 private:
  std::optional<Planes> planes_;
  std::vector<std::int32_t> offsets_;  ///< in place
  std::int64_t rows_, pitch_;
};

/// Output rows of a tile: as many as keep what they read in the second-level cache. Their number is even where tiles are all that threads
/// can share out.
std::int64_t source_rows(const Window& window, bool even);

}  // namespace stair::backends::openblas::direct
