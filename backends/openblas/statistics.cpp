#include "backends/openblas/statistics.h"

#include "backends/lanes.h"
#include "backends/moments.h"
#include "backends/multiversion.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void add_moments_row(const float* x, const float* centre, double* sums, double* squares, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const double d = static_cast<double>(x[i]) - static_cast<double>(centre[i]);
    sums[i] += d;
    squares[i] += d * d;
  }
}

STAIR_MULTIVERSION void add_products_row(const float* dy, const float* x, const float* mean, const float* inv_std, double* sums,
                                         double* products, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const auto gradient = static_cast<double>(dy[i]);
    sums[i] += gradient;
    products[i] += gradient * static_cast<double>((x[i] - mean[i]) * inv_std[i]);
  }
}

template <bool columns>
STAIR_INLINE void normalize_body(const float* x, const float* mean, const float* scale, const float* shift, float* y, std::int64_t count) {
  const float only_mean = *mean;
  const float only_scale = *scale;
  const float only_shift = *shift;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = (x[i] - parameter<columns>(mean, only_mean, i)) * parameter<columns>(scale, only_scale, i) +
           parameter<columns>(shift, only_shift, i);
  }
}

}  // namespace

void moments(const ChannelView& view, const float* x, ChannelBlock block, float* mean, float* variance) {
  const auto n = static_cast<double>(view.outer * view.inner);
  const float* centre = x + block.first;  // of columns: the first row
  double sums[column_block] = {};
  double squares[column_block] = {};
  Moments all[row_block];
  for_rows(view, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
    if constexpr (kind) {
      add_moments_row(x + first, centre, sums, squares, count);
    } else {
      const std::int64_t before = first / (view.channels * view.inner) * view.inner;
      merge(all[i], static_cast<double>(before), moments_of(x + first, count), static_cast<double>(count));
    }
  });
  for (std::int64_t i = 0; i < block.count; ++i) {
    if (view.inner == 1) {
      const double offset = sums[i] / n;
      all[0] = {static_cast<double>(centre[i]) + offset, squares[i] - n * offset * offset};
    }
    const Moments& own = all[view.inner == 1 ? 0 : i];
    mean[i] = static_cast<float>(own.mean);
    variance[i] = static_cast<float>(std::max(own.squares / n, 0.0));
  }
}

void GradientSums::add(OneChannel_t, std::int64_t i, const float* dy, const std::uint8_t* mask, const float* x, std::int64_t count) {
  add_products(dy, mask, x, mean_[i], inv_std_[i], count, next_row_, sum_[i], product_[i]);
}
void GradientSums::add(Columns_t, std::int64_t, const float* dy, const std::uint8_t*, const float* x, std::int64_t count) {
  add_products_row(dy, x, mean_, inv_std_, sums_, products_, count);
}

STAIR_MULTIVERSION void normalize_row(OneChannel_t, const float* x, const float* mean, const float* scale, const float* shift, float* y,
                                      std::int64_t count) {
  normalize_body<false>(x, mean, scale, shift, y, count);
}
STAIR_MULTIVERSION void normalize_row(Columns_t, const float* x, const float* mean, const float* scale, const float* shift, float* y,
                                      std::int64_t count) {
  normalize_body<true>(x, mean, scale, shift, y, count);
}

}  // namespace stair::backends::openblas
