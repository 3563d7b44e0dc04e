#pragma once

// What batch normalization sums over a channel: in double, each channel by one thread in one order (N-REPEAT), whatever block it is in.

#include <algorithm>
#include <cstdint>

#include "backends/lanes.h"
#include "backends/openblas/channel_runs.h"

namespace stair::backends::openblas {

/// Most channels of a block: of x [N, C], where they lie side by side, and of others.
inline constexpr std::int64_t column_block = 64;
inline constexpr std::int64_t row_block = 8;

/// Neighbouring channels that one thread works on.
struct ChannelBlock {
  std::int64_t first, count;
};

/// [N, C, inner] cut into blocks of channels: where a channel's rows are short, of several, so that memory is read in longer runs.
class ChannelBlocks {
 public:
  ChannelBlocks(const ChannelView& view, int threads) : channels_(view.channels), width_(column_block) {
    constexpr std::int64_t run = 512;
    if (view.inner > 1) width_ = std::max<std::int64_t>(std::min({row_block, piece_count(run, view.inner), channels_ / (2 * threads)}), 1);
  }

  std::int64_t count() const { return piece_count(channels_, width_); }
  ChannelBlock at(std::int64_t block) const { return {block * width_, std::min(width_, channels_ - block * width_)}; }

 private:
  std::int64_t channels_, width_;
};

/// Calls body(kind, i, first, count) for the rows of a block, `count` elements from element `first` of the tensor on: of its channel i
/// alone or, where channels lie side by side, of all of them (i = 0).
template <class Body>
void for_rows(const ChannelView& view, ChannelBlock block, Body&& body) {
  for (std::int64_t outer = 0; outer < view.outer; ++outer) {
    const std::int64_t first = (outer * view.channels + block.first) * view.inner;
    if (view.inner == 1) {
      body(Columns_t{}, std::int64_t{0}, first, block.count);
    } else {
      for (std::int64_t i = 0; i < block.count; ++i) body(OneChannel_t{}, i, first + i * view.inner, view.inner);
    }
  }
}

/// Mean and biased variance of the block's channels: moments of each channel's rows, merged in order (backends/moments.h); of columns, in
/// one read, sums of x - c and (x - c)^2, where c is the channel's first element. Both arrays begin at the block's first channel.
void moments(const ChannelView& view, const float* x, ChannelBlock block, float* mean, float* variance);

/// Sums of dy and of dy * ((x - mean) * inv_std) over the rows of a block, handed in order; the arrays begin at the block's first channel.
/// A row of one channel may come in parts, if all but its last are multiples of 16 long.
class GradientSums {
 public:
  GradientSums(const ChannelView& view, const float* mean, const float* inv_std)
      : next_row_(view.channels * view.inner), mean_(mean), inv_std_(inv_std) {}
  /// Channel i's row; of columns, all channels'. `mask`: see lanes.h; columns have none.
  void add(OneChannel_t, std::int64_t i, const float* dy, const std::uint8_t* mask, const float* x, std::int64_t count);
  void add(Columns_t, std::int64_t i, const float* dy, const std::uint8_t* mask, const float* x, std::int64_t count);
  double sum(std::int64_t channel) const { return sums_[channel] + (channel < row_block ? sum_[channel].total() : 0); }
  double product(std::int64_t channel) const { return products_[channel] + (channel < row_block ? product_[channel].total() : 0); }

 private:
  std::int64_t next_row_;  // of a channel, in the next image
  const float* mean_;
  const float* inv_std_;
  Lanes<double> sum_[row_block], product_[row_block];  // of rows of one channel
  double sums_[column_block] = {};                     // of columns
  double products_[column_block] = {};
};

/// y = (x - mean) * scale + shift
void normalize_row(OneChannel_t, const float* x, const float* mean, const float* scale, const float* shift, float* y, std::int64_t count);
void normalize_row(Columns_t, const float* x, const float* mean, const float* scale, const float* shift, float* y, std::int64_t count);

}  // namespace stair::backends::openblas
