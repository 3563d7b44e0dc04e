#pragma once

// What batch normalization sums over a channel: in double, each channel by one thread in one order (N-REPEAT). Channels are taken one at a
// time, or, where their elements lie side by side (x [N, C]), a block of them.

#include "backends/openblas/channel_runs.h"
#include "backends/openblas/lanes.h"

namespace stair::backends::openblas {

inline constexpr std::int64_t column_block = 64;

struct ChannelBlock {
  std::int64_t first, count;
};
inline std::int64_t block_count(const ChannelView& view) {
  return view.inner == 1 ? piece_count(view.channels, column_block) : view.channels;
}
inline ChannelBlock channels_of(const ChannelView& view, std::int64_t block) {
  if (view.inner > 1) return {block, 1};
  return {block * column_block, std::min(column_block, view.channels - block * column_block)};
}

/// Calls body(kind, first element, count) for the rows of a block.
template <class Body>
void for_rows(const ChannelView& view, ChannelBlock block, Body&& body) {
  for (std::int64_t outer = 0; outer < view.outer; ++outer) {
    const std::int64_t first = (outer * view.channels + block.first) * view.inner;
    if (view.inner == 1) {
      body(Columns_t{}, first, block.count);
    } else {
      body(OneChannel_t{}, first, view.inner);
    }
  }
}

/// Mean and biased variance of the block's channels, in two passes; both arrays begin at its first channel.
void moments(const ChannelView& view, const float* x, ChannelBlock block, float* mean, float* variance);
/// Sums of dy and of dy * ((x - mean) * inv_std) over the rows of a block, handed in order; the arrays begin at the block's first channel.
/// A row of one channel may come in parts, if all but its last are multiples of 16 long.
class GradientSums {
 public:
  GradientSums(const float* mean, const float* inv_std) : mean_(mean), inv_std_(inv_std) {}
  void add(OneChannel_t, const float* dy, const float* x, std::int64_t count);
  void add(Columns_t, const float* dy, const float* x, std::int64_t count);
  double sum(std::int64_t channel) const { return sums_[channel] + sum_.total(); }
  double product(std::int64_t channel) const { return products_[channel] + product_.total(); }

 private:
  const float* mean_;
  const float* inv_std_;
  Lanes<double> sum_, product_;     // of one channel
  double sums_[column_block] = {};  // of columns
  double products_[column_block] = {};
};

/// y = (x - mean) * scale + shift
void normalize_row(OneChannel_t, const float* x, const float* mean, const float* scale, const float* shift, float* y, std::int64_t count);
void normalize_row(Columns_t, const float* x, const float* mean, const float* scale, const float* shift, float* y, std::int64_t count);

}  // namespace stair::backends::openblas
