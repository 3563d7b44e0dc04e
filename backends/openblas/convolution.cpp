#include "backends/openblas/convolution.h"

#include <cstring>

#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

constexpr std::int64_t vector_floats = 16;

// Rows of `width` floats, 16 at a time: what a row writes too much, the next one writes over.
STAIR_INLINE void copy_rows(const float* from, std::int64_t from_step, float* to, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < width; i += vector_floats) {
      std::memcpy(to + row * width + i, from + row * from_step + i, vector_floats * sizeof(float));
    }
  }
}

STAIR_MULTIVERSION void unroll_taps(const Window& g, const float* padded, std::int64_t plane, std::int64_t padded_width, std::int64_t rows,
                                    std::int64_t first, std::int64_t count, float* to) {
  const std::int64_t window = g.kernel_height * g.kernel_width;
  const std::int64_t step = g.stride_h * padded_width;
  for (std::int64_t tap = first; tap < first + count; ++tap, to += rows * g.out_width) {
    const std::int64_t kh = tap % window / g.kernel_width;
    const std::int64_t kw = tap % g.kernel_width;
    const float* from = padded + tap / window * plane + kh * g.dilation_h * padded_width + kw * g.dilation_w;
    if (g.stride_w == 1) {
      copy_rows(from, step, to, rows, g.out_width);
      continue;
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      STAIR_SIMD
      for (std::int64_t i = 0; i < g.out_width; ++i) to[row * g.out_width + i] = from[row * step + i * g.stride_w];
    }
  }
}

template <class X>
STAIR_INLINE void pad_body(const Window& g, const Tiling& t, const X* image, std::int32_t offset, std::int64_t tile, float* padded) {
  const std::int64_t first_row = g.in_row(tile * t.rows, 0);
  const std::int64_t begin = std::min(g.left, t.padded_width);
  const std::int64_t end = std::max(begin, std::min(t.padded_width, g.left + g.in_width));
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t h = 0; h < t.padded_height; ++h) {
      float* to = padded + (c * t.padded_height + h) * t.padded_width;
      if (!g.row_inside(first_row + h)) {
        for (std::int64_t i = 0; i < t.padded_width; ++i) to[i] = 0;
        continue;
      }
      const X* from = image + (c * g.in_height + first_row + h) * g.in_width;
      for (std::int64_t i = 0; i < begin; ++i) to[i] = 0;
      STAIR_SIMD
      for (std::int64_t i = begin; i < end; ++i) {
        to[i] = static_cast<float>(from[i - g.left] - offset);
      }
      for (std::int64_t i = end; i < t.padded_width; ++i) to[i] = 0;
    }
  }
}

}  // namespace

Tiling::Tiling(const Window& g) {
  rows = balanced(g.out_height, std::max<std::int64_t>(1, 256 / g.out_width));
  tiles = piece_count(g.out_height, rows);
  pixels = rows * g.out_width;
  taps = g.group_in() * g.kernel_height * g.kernel_width;
  channels = g.group_out();
  channel_step = balanced(channels, 32);
  // Not where a row's few taps would make products too short.
  by_rows = g.stride_h == 1 && g.kernel_height > 1 && taps / g.kernel_height >= 32;
  band = by_rows ? taps / g.kernel_height : taps;
  tap_step = balanced(band, std::clamp<std::int64_t>(unpacked_products / (channel_step * pixels), 32, cached_sum));
  padded_height = (rows - 1) * g.stride_h + (g.kernel_height - 1) * g.dilation_h + 1;
  padded_width = (g.out_width - 1) * g.stride_w + (g.kernel_width - 1) * g.dilation_w + 1;
  direct = g.kernel_height * g.kernel_width == 1 && g.stride_h * g.stride_w == 1 && g.top == 0 && g.left == 0 &&
           g.in_height == g.out_height && g.in_width == g.out_width;
}

std::int64_t Tiling::padded_floats(const Window& g) const {
  return line_up(g.group_in() * padded_height * padded_width + vector_floats);
}

std::int64_t Tiling::column_floats() const {
  if (by_rows) return line_up(band * padded_height * (pixels / rows) + vector_floats);
  return direct ? 0 : line_up(tap_step * pixels + vector_floats);
}

STAIR_MULTIVERSION void pad_rows(const Window& g, const Tiling& t, const std::uint8_t* image, std::int32_t offset, std::int64_t tile,
                                 float* padded) {
  pad_body(g, t, image, offset, tile, padded);
}
STAIR_MULTIVERSION void pad_rows(const Window& g, const Tiling& t, const std::int8_t* image, std::int32_t offset, std::int64_t tile,
                                 float* padded) {
  pad_body(g, t, image, offset, tile, padded);
}

Matrix Columns::taps(std::int64_t first, std::int64_t count) {
  if (tiling_.direct) return {source_ + first * stride_, stride_};
  if (tiling_.by_rows) {
    const std::int64_t length = tiling_.padded_height * window_.out_width;
    return {columns_ + first % tiling_.band * length + first / tiling_.band * window_.dilation_h * window_.out_width, length};
  }
  unroll_taps(window_, padded_, stride_, tiling_.padded_width, rows_, first, count, columns_);
  return {columns_, pixels()};
}

// A kernel of one row over all padded rows.
void Columns::shift_columns() {
  Window row = window_;
  row.kernel_height = 1;
  unroll_taps(row, padded_, stride_, tiling_.padded_width, tiling_.padded_height, 0, tiling_.band, columns_);
}

std::int64_t order_floats(const Window& g, const Tiling& t) {
  return t.by_rows ? line_up(g.out_channels * t.taps) : 0;
}

const float* order_taps(const Window& g, const Tiling& t, const float* w, float* memory, int threads) {
  if (!t.by_rows) return w;
  for_items(g.out_channels, threads, [&](std::int64_t o) {
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
        std::copy_n(w + o * t.taps + (c * g.kernel_height + kh) * g.kernel_width, g.kernel_width,
                    memory + o * t.taps + (kh * g.group_in() + c) * g.kernel_width);
      }
    }
  });
  return memory;
}

}  // namespace stair::backends::openblas
