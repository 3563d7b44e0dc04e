#include "backends/openblas/direct/planes.h"

#include <algorithm>
#include <cstring>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t copied_floats = 96 * 1024;
constexpr std::int64_t slack = most_lanes;

}  // namespace

std::int64_t tile_rows(const Window& g) {
  const Planes one(g, 1);
  const Planes two(g, 2);
  const std::int64_t row = std::max<std::int64_t>(1, two.floats() - one.floats());
  return balanced(g.out_height, std::clamp<std::int64_t>((copied_floats - one.floats()) / row + 1, 1, g.out_height));
}

Planes::Planes(const Window& g, std::int64_t rows) : window_(g), rows_(rows) {
  row_planes_ = std::min(g.stride_h, (g.kernel_height - 1) * g.dilation_h + 1);
  column_planes_ = std::min(g.stride_w, (g.kernel_width - 1) * g.dilation_w + 1);
  plane_rows_ = rows + (g.kernel_height - 1) * g.dilation_h / g.stride_h;
  pitch_ = g.out_width + (g.kernel_width - 1) * g.dilation_w / g.stride_w;
  const std::int64_t plane = plane_rows_ * pitch_;
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
        const std::int64_t h = kh * g.dilation_h;
        const std::int64_t w = kw * g.dilation_w;
        const std::int64_t index = (c * row_planes_ + h % g.stride_h) * column_planes_ + w % g.stride_w;
        offsets_.push_back(static_cast<std::int32_t>(index * plane + h / g.stride_h * pitch_ + w / g.stride_w));
      }
    }
  }
  floats_ = g.group_in() * row_planes_ * column_planes_ * plane + slack;
}

void Planes::copy_plane_row(const float* row, std::int64_t residue, float* to) const {
  const Window& g = window_;
  // Column i holds the image's column i * stride + residue - left.
  const std::int64_t shift = residue - g.left;
  const std::int64_t first = std::clamp<std::int64_t>((g.stride_w - 1 - shift) / g.stride_w, 0, pitch_);
  const std::int64_t last = std::clamp<std::int64_t>((g.in_width - 1 - shift + g.stride_w) / g.stride_w, first, pitch_);
  std::fill(to, to + first, 0.0F);
  if (g.stride_w == 1) {
    std::copy(row + first + shift, row + last + shift, to + first);
  } else {
    for (std::int64_t i = first; i < last; ++i) to[i] = row[i * g.stride_w + shift];
  }
  std::fill(to + last, to + pitch_, 0.0F);
}

void Planes::copy(const float* image, std::int64_t first, float* to) const {
  const Window& g = window_;
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t rr = 0; rr < row_planes_; ++rr) {
      for (std::int64_t cr = 0; cr < column_planes_; ++cr) {
        for (std::int64_t r = 0; r < plane_rows_; ++r, to += pitch_) {
          const std::int64_t h = (first + r) * g.stride_h + rr - g.top;
          if (g.row_inside(h)) {
            copy_plane_row(image + (c * g.in_height + h) * g.in_width, cr, to);
          } else {
            std::fill(to, to + pitch_, 0.0F);
          }
        }
      }
    }
  }
  std::fill(to, to + slack, 0.0F);
}

}  // namespace stair::backends::openblas::direct
