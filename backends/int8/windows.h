#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/int8/kernels.h"
#include "backends/window.h"
#include "ir/type.h"

namespace stair::backends::int8 {

/// The windows of a pooling on [N,H,W,C], row by row, cut to what lies inside the image.
class WindowRows {
 public:
  explicit WindowRows(const Window& window) : window_(window) {
    // Output columns whose windows lie inside as a whole.
    while (inner_first_ < window.out_width && window.in_column(inner_first_, 0) < 0) ++inner_first_;
    inner_last_ = inner_first_;
    while (inner_last_ < window.out_width && window.in_column(inner_last_, window.kernel_width - 1) < window.in_width) ++inner_last_;
  }

  std::int64_t count() const { return window_.images * window_.out_height; }
  /// Bytes that the windows of a row hold.
  std::int64_t bytes() const { return window_.out_width * window_.kernel_height * window_.kernel_width * window_.in_channels; }

  /// Calls body(windows, first output pixel) for the windows of output row `row` (of all images) from left to right; neighbours of the same
  /// size together.
  template <class Body>
  void for_each(const ir::TensorView& x, std::int64_t row, Body&& body) const {
    for (std::int64_t ow = 0; ow < inner_first_; ++ow) body(cut(x, row, ow, 1), row * window_.out_width + ow);
    if (inner_first_ < inner_last_) body(cut(x, row, inner_first_, inner_last_ - inner_first_), row * window_.out_width + inner_first_);
    for (std::int64_t ow = inner_last_; ow < window_.out_width; ++ow) body(cut(x, row, ow, 1), row * window_.out_width + ow);
  }

 private:
  Windows cut(const ir::TensorView& x, std::int64_t row, std::int64_t ow, std::int64_t count) const {
    const Window& g = window_;
    const std::int64_t top = g.in_row(row % g.out_height, 0);
    const std::int64_t left = g.in_column(ow, 0);
    const std::int64_t first_row = std::max<std::int64_t>(top, 0);
    const std::int64_t first_column = std::max<std::int64_t>(left, 0);
    const auto* image = x.as<const std::uint8_t>() + row / g.out_height * g.in_height * g.in_width * g.in_channels;
    Windows windows;
    windows.first = image + (first_row * g.in_width + first_column) * g.in_channels;
    windows.rows = std::min(top + g.kernel_height, g.in_height) - first_row;
    windows.columns = std::min(left + g.kernel_width, g.in_width) - first_column;
    windows.row_stride = g.in_width * g.in_channels;
    windows.column_stride = g.in_channels;
    windows.count = count;
    windows.stride = g.stride_w * g.in_channels;
    windows.channels = g.in_channels;
    windows.is_signed = x.type.dtype == ir::DType::s8;
    windows.end = x.as<const std::uint8_t>() + x.count();
    return windows;
  }

  Window window_;
  std::int64_t inner_first_ = 0, inner_last_ = 0;
};

}  // namespace stair::backends::int8
