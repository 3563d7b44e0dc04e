#pragma once

// Convolutions of integers as matrix products of floats that hold them (N-F32GEMM). An image is taken a tile of output rows at a time: the
// input rows it reads are copied with their padding
// ("the padded rows"), and from them pieces of the im2col matrix, [taps, pixels], which stay in the cache while they are multiplied. No
// buffer grows with the batch.

#include "backends/openblas/aligned.h"
#include "backends/openblas/parallel.h"
#include "backends/openblas/sgemm.h"
#include "backends/window.h"

namespace stair::backends::openblas {

/// How a convolution is cut; from its shapes alone (N-REPEAT).
struct Tiling {
  std::int64_t rows, tiles;                  ///< output rows of a tile; tiles of an image
  std::int64_t pixels;                       ///< of a whole tile
  std::int64_t taps, tap_step;               ///< of one output channel; in one product
  std::int64_t channels, channel_step;       ///< output channels of a group; in one product
  std::int64_t padded_height, padded_width;  ///< of a whole tile's padded rows
  bool direct;                               ///< the padded rows are the im2col matrix: 1x1, stride 1, no padding
  /// Taps in the order (kernel row, channel, kernel column). With a vertical stride of 1 a kernel row further down reads the same pixels a
  /// row later, so that one copy of them serves all kernel rows, and a product stays within one.
  bool by_rows;
  std::int64_t band;  ///< taps of a kernel row where by_rows, else all

  explicit Tiling(const Window& window);
  std::int64_t padded_floats(const Window& window) const;
  std::int64_t column_floats() const;
  /// How many taps, from `first` on, one product takes if it may take `most`.
  std::int64_t run(std::int64_t first, std::int64_t most) const { return std::min(most, band - first % band); }
};

/// Weights [O, taps] with the taps in the tiling's order; the weights themselves where that is the usual one, else a copy at `memory`,
/// which holds order_floats.
const float* order_taps(const Window& window, const Tiling& tiling, const float* w, float* memory, int threads);
std::int64_t order_floats(const Window& window, const Tiling& tiling);

/// Floats of scratch memory: `shared`, then one area a thread.
struct ScratchPlan {
  std::int64_t shared = 0, thread = 0;
  std::size_t bytes(int threads) const { return static_cast<std::size_t>(shared + threads * thread) * sizeof(float); }
  float* of_slot(std::byte* scratch, int slot) const { return reinterpret_cast<float*>(scratch) + shared + slot * thread; }
};
/// Copies the rows of one group of an image that tile `tile` reads, as float(x - offset); 0 in the padding.
void pad_rows(const Window& window, const Tiling& tiling, const std::uint8_t* image, std::int32_t offset, std::int64_t tile, float* padded);
void pad_rows(const Window& window, const Tiling& tiling, const std::int8_t* image, std::int32_t offset, std::int64_t tile, float* padded);

/// One tile's im2col matrix.
class Columns {
 public:
  /// `memory` holds padded_floats and column_floats.
  Columns(const Window& window, const Tiling& tiling, float* memory)
      : window_(window), tiling_(tiling), padded_(memory), columns_(memory + tiling.padded_floats(window)) {}

  template <class X>
  void load(const X* image, std::int32_t offset, std::int64_t tile) {
    first_row_ = tile * tiling_.rows;
    rows_ = std::min(tiling_.rows, window_.out_height - first_row_);
    source_ = padded_;
    stride_ = tiling_.padded_height * tiling_.padded_width;
    pad_rows(window_, tiling_, image, offset, tile, padded_);
    if (tiling_.by_rows) shift_columns();
  }
  std::int64_t first_pixel() const { return first_row_ * window_.out_width; }
  std::int64_t pixels() const { return rows_ * window_.out_width; }
  /// Rows [first, first + count) of the matrix, each of pixels() elements.
  Matrix taps(std::int64_t first, std::int64_t count);

 private:
  void shift_columns();

  const Window& window_;
  const Tiling& tiling_;
  float* padded_;
  float* columns_;
  const float* source_ = nullptr;
  std::int64_t stride_ = 0, first_row_ = 0, rows_ = 0;
};

}  // namespace stair::backends::openblas
