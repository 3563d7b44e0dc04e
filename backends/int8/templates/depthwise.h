#pragma once

// Depthwise convolution on vectors of 4 * lanes channels, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/templates/epilogue.h"

namespace stair::backends::int8 {
namespace {

/// `pixels` neighbours in a line, for 4 * lanes channels: sums[pixel][channel]. Each row of the kernel is taken 4 taps at a time: 4 pixels
/// are interleaved once and serve all results that they belong to; weights are packed for each of these, with 0 where a tap isn't its own.
template <int pixels>
STAIR_INLINE void multiply_pixels(const Depthwise& d, const std::uint8_t* x, std::int64_t bytes, const std::int8_t* weights,
                                  std::int32_t* sums) {
  I32 sum[pixels][4];
#pragma GCC unroll 8
  for (int i = 0; i < pixels; ++i) {
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) sum[i][q] = splat(0);
  }
  for (std::int64_t row = 0; row < d.rows; ++row) {
    const std::uint8_t* from = x + d.row_offsets[row];
    for (std::int64_t chunk = 0; chunk < d.chunks; ++chunk, from += 4 * d.tap_stride) {
      const Quarters four = interleave4(load_block(from, bytes), load_block(from + d.tap_stride, bytes),
                                        load_block(from + 2 * d.tap_stride, bytes), load_block(from + 3 * d.tap_stride, bytes));
#pragma GCC unroll 8
      for (int i = 0; i < pixels; ++i) {
#pragma GCC unroll 4
        for (int q = 0; q < 4; ++q, weights += 4 * lanes) sum[i][q] = dot4(sum[i][q], four.quarter[q], load_weights(weights));
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < pixels; ++i) store_quarters(sums + i * 4 * lanes, sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
}

template <int pixels>
void run_lines(const Depthwise& d) {
  constexpr std::int64_t block = 4 * lanes;
  constexpr std::int64_t batch = 16;  // pixels an epilogue
  const std::int64_t block_weights = d.rows * d.chunks * pixels * block * 4;
  const std::int64_t bytes = result_bytes(*d.epilogue);
  const std::int8_t* weights = d.weights;
  alignas(64) std::int32_t sums[batch * block];
  for (std::int64_t channel = 0; channel < d.channels; channel += block, weights += block_weights) {
    const std::int64_t channels = d.channels - channel < block ? d.channels - channel : block;
    for (std::int64_t line = 0; line < d.lines; ++line) {
      for (std::int64_t first = 0; first < d.columns; first += batch) {
        const std::int64_t count = d.columns - first < batch ? d.columns - first : batch;
        const std::uint8_t* x = d.activations + line * d.line_stride + first * d.pixel_stride + channel;
        for (std::int64_t i = 0; i < count; i += pixels, x += pixels * d.pixel_stride) {
          if (channels == block) {
            multiply_pixels<pixels>(d, x, block, weights, sums + i * block);
          } else {
            multiply_pixels<pixels>(d, x, channels, weights, sums + i * block);
          }
        }
        const std::int64_t pixel = line * d.columns + first;
        const std::uint8_t* other = d.other == nullptr ? nullptr : d.other + pixel * d.all_channels + channel;
        run_epilogue(*d.epilogue, {sums, block, count, channel, channels, d.to + (pixel * d.all_channels + channel) * bytes,
                                   d.all_channels * bytes, other, d.all_channels});
      }
    }
  }
}

void run_depthwise(const Depthwise& d) {
  switch (d.pixels) {
    case 1:
      return run_lines<1>(d);
    case 2:
      return run_lines<2>(d);
    default:
      return run_lines<4>(d);
  }
}

}  // namespace
}  // namespace stair::backends::int8
