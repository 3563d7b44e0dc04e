#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/window.h"

namespace stair::backends::openblas::direct {

/// The input rows that a tile of output rows reads, copied with their padding and sorted so that neighbouring output pixels read
/// neighbouring floats: rows and columns by their number modulo the stride, a plane each. Output pixel (r, i) of the tile, tap t, reads
/// source[offsets[t] + r * pitch + i]. All pixels of a tile are so one line of rows * pitch positions, of which the last pitch - width of
/// each row mean nothing.
class Planes {
 public:
  /// `rows` output rows a tile. The taps of one group of channels are in the order (c, kh, kw).
  Planes(const Window& window, std::int64_t rows);

  std::int64_t rows() const { return rows_; }
  std::int64_t pitch() const { return pitch_; }
  const std::vector<std::int32_t>& offsets() const { return offsets_; }
  /// Of the copy, with room for a whole vector behind the last position.
  std::int64_t floats() const { return floats_; }

  /// Copies what output rows [first, first + rows()) read of one group of an image's channels; what lies outside of the image is 0.
  void copy(const float* image, std::int64_t first, float* to) const;

 private:
  void copy_plane(const float* image, std::int64_t first, std::int64_t row_residue, std::int64_t column_residue, float* to) const;

  Window window_;
  std::int64_t rows_, pitch_, plane_rows_, floats_;
  std::int64_t row_planes_, column_planes_;  ///< a channel
  std::vector<std::int32_t> offsets_;
};

/// Output rows of a tile: as many as fit into so many floats with the copy, and with what else each of them takes `beside`.
std::int64_t tile_rows(const Window& window, std::int64_t floats, std::int64_t beside = 0);
inline constexpr std::int64_t first_level_floats = 10 * 1024;
inline constexpr std::int64_t second_level_floats = 96 * 1024;

}  // namespace stair::backends::openblas::direct
