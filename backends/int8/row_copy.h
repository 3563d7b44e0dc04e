#pragma once

#include <cstdint>

#include "backends/window.h"

namespace stair::backends::int8 {

/// How rows of an image [H,W,C] are copied with their padding, in the sign that the kernels want.
struct RowCopy {
  Window window;
  bool flip = false;                           ///< activations of the other sign than the kernels': x ^ 0x80
  std::int64_t row_step = 1, column_step = 1;  ///< every so many rows and columns of the input are copied: the stride
  std::int64_t planes = 1;  ///< copied rows are sorted by their number modulo this, so that those of neighbouring results are neighbours
  std::int64_t plane_rows = 0;  ///< rows of a plane
  std::int64_t columns = 0;     ///< pixels of a copied row

  /// The zero point of copied activations.
  std::int32_t zero_point(std::int32_t of_tensor, bool signed_activations) const {
    return !flip ? of_tensor : signed_activations ? of_tensor - 128 : of_tensor + 128;
  }
  std::int64_t row_bytes() const { return columns * window.in_channels; }
  /// Where the row that is so many copied rows behind the first one stands.
  std::int64_t offset(std::int64_t row) const { return (row % planes * plane_rows + row / planes) * row_bytes(); }
  /// The rows that `rows` rows of the result from first_row on read.
  void copy(const std::uint8_t* input, std::int64_t image, std::int64_t first_row, std::int64_t rows, std::uint8_t padding,
            std::uint8_t* to) const;
};

}  // namespace stair::backends::int8
