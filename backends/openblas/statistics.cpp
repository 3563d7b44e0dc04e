#include "backends/openblas/statistics.h"

#include "backends/multiversion.h"
#include "backends/openblas/lanes.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void add_row(const float* x, double* sums, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(x[i]);
}

STAIR_MULTIVERSION void add_squares_row(const float* x, const double* centre, double* sums, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const double d = static_cast<double>(x[i]) - centre[i];
    sums[i] += d * d;
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
  double sums[column_block] = {};
  double squares[column_block] = {};
  if (view.inner == 1) {
    for_rows(view, block, [&](auto, std::int64_t first, std::int64_t count) { add_row(x + first, sums, count); });
    for (std::int64_t i = 0; i < block.count; ++i) sums[i] /= n;
    for_rows(view, block, [&](auto, std::int64_t first, std::int64_t count) { add_squares_row(x + first, sums, squares, count); });
  } else {
    Lanes<double> sum;
    for_rows(view, block, [&](auto, std::int64_t first, std::int64_t count) { add_run(x + first, count, sum); });
    sums[0] = sum.total() / n;
    Lanes<double> square;
    for_rows(view, block, [&](auto, std::int64_t first, std::int64_t count) { add_squares(x + first, sums[0], count, square); });
    squares[0] = square.total();
  }
  for (std::int64_t i = 0; i < block.count; ++i) {
    mean[i] = static_cast<float>(sums[i]);
    variance[i] = static_cast<float>(squares[i] / n);
  }
}

void GradientSums::add(OneChannel_t, const float* dy, const float* x, std::int64_t count) {
  add_products(dy, x, *mean_, *inv_std_, count, sum_, product_);
}
void GradientSums::add(Columns_t, const float* dy, const float* x, std::int64_t count) {
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
