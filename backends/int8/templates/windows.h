#pragma once

// Maxima and sums over the pixels of windows on [N,H,W,C], over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

/// The largest of n <= 4 * lanes channels that begin at `first`. `fixed_rows` and `fixed_columns` are the window's size, or 0.
template <bool is_signed, int fixed_rows, int fixed_columns, class Load>
STAIR_INLINE Bytes largest(const Windows& w, const std::uint8_t* first, const Load& load_pixel) {
  const std::int64_t rows = fixed_rows > 0 ? fixed_rows : w.rows;
  const std::int64_t columns = fixed_columns > 0 ? fixed_columns : w.columns;
  Bytes best = load_pixel(first);
#pragma GCC unroll 4
  for (std::int64_t row = 0; row < rows; ++row) {
#pragma GCC unroll 4
    for (std::int64_t column = 0; column < columns; ++column) {
      const Bytes pixel = load_pixel(first + row * w.row_stride + column * w.column_stride);
      best = is_signed ? max_s8(best, pixel) : max_u8(best, pixel);
    }
  }
  return best;
}

// Whole vectors are read and written wherever memory reaches so far: what they write too much belongs to the next window, which is written
// later.
template <bool is_signed, int fixed_rows, int fixed_columns>
void max_of_windows(const Windows& windows, std::uint8_t* to, const std::uint8_t* end) {
  const Windows w = windows;
  constexpr std::int64_t vector = 4 * lanes;
  const std::uint8_t* first = w.first;
  const std::int64_t last_pixel = (w.rows - 1) * w.row_stride + (w.columns - 1) * w.column_stride;
  for (std::int64_t window = 0; window < w.count; ++window, first += w.stride, to += w.channels) {
    for (std::int64_t c = 0; c < w.channels; c += vector) {
      const std::int64_t n = w.channels - c < vector ? w.channels - c : vector;
      if (w.end - (first + c + last_pixel) >= vector) {
        const auto whole = [](const std::uint8_t* p) STAIR_INLINE_BODY { return load_block(p); };
        const Bytes best = largest<is_signed, fixed_rows, fixed_columns>(w, first + c, whole);
        if (end - (to + c) >= vector) {
          store(to + c, best);
        } else {
          store(to + c, best, n);
        }
      } else {
        const auto some = [n](const std::uint8_t* p) STAIR_INLINE_BODY { return load_block(p, n); };
        store(to + c, largest<is_signed, fixed_rows, fixed_columns>(w, first + c, some), n);
      }
    }
  }
}

template <bool is_signed>
void max_of_signed_windows(const Windows& w, std::uint8_t* to, const std::uint8_t* end) {
  if (w.rows == 2 && w.columns == 2) return max_of_windows<is_signed, 2, 2>(w, to, end);
  if (w.rows == 3 && w.columns == 3) return max_of_windows<is_signed, 3, 3>(w, to, end);
  max_of_windows<is_signed, 0, 0>(w, to, end);
}

void run_max_windows(const Windows& w, std::uint8_t* to, const std::uint8_t* end) {
  if (w.is_signed) return max_of_signed_windows<true>(w, to, end);
  max_of_signed_windows<false>(w, to, end);
}

template <bool is_signed, int vectors>
STAIR_INLINE void sum_block(const Windows& w, const std::uint8_t* first, std::int32_t start, std::int32_t* to) {
  I32 sum[vectors];
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) sum[v] = splat(start);
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* pixel = first + row * w.row_stride;
    for (std::int64_t column = 0; column < w.columns; ++column, pixel += w.column_stride) {
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sum[v] = sum[v] + (is_signed ? load_s8(pixel + v * lanes) : load_u8(pixel + v * lanes));
    }
  }
#pragma GCC unroll 4
  for (int v = 0; v < vectors; ++v) store(to + v * lanes, sum[v]);
}

template <bool is_signed>
STAIR_INLINE void sum_some(const Windows& w, const std::uint8_t* first, std::int64_t n, std::int32_t start, std::int32_t* to) {
  I32 sum = splat(start);
  for (std::int64_t row = 0; row < w.rows; ++row) {
    const std::uint8_t* pixel = first + row * w.row_stride;
    for (std::int64_t column = 0; column < w.columns; ++column, pixel += w.column_stride) {
      sum = sum + (is_signed ? load_s8(pixel, n) : load_u8(pixel, n));
    }
  }
  store(to, sum, n);
}

template <bool is_signed>
void sum_of_windows(const Windows& windows, std::int32_t start, std::int32_t* to, std::int64_t to_stride) {
  const Windows w = windows;
  const std::uint8_t* first = w.first;
  for (std::int64_t window = 0; window < w.count; ++window, first += w.stride, to += to_stride) {
    std::int64_t c = 0;
    for (; c + 4 * lanes <= w.channels; c += 4 * lanes) sum_block<is_signed, 4>(w, first + c, start, to + c);
    for (; c + lanes <= w.channels; c += lanes) sum_block<is_signed, 1>(w, first + c, start, to + c);
    if (c < w.channels) sum_some<is_signed>(w, first + c, w.channels - c, start, to + c);
  }
}

void run_sum_windows(const Windows& w, std::int32_t start, std::int32_t* to, std::int64_t to_stride) {
  if (w.is_signed) return sum_of_windows<true>(w, start, to, to_stride);
  sum_of_windows<false>(w, start, to, to_stride);
}

}  // namespace
}  // namespace stair::backends::int8
