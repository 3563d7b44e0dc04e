#include "backends/openblas/direct/planes.h"

#include <algorithm>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t slack = most_lanes;

}  // namespace

std::int64_t tile_rows(const Window& g, std::int64_t floats, std::int64_t beside) {
  const Planes one(g, 1);
  const Planes two(g, 2);
  const std::int64_t row = std::max<std::int64_t>(1, two.floats() - one.floats() + beside);
  return balanced(g.out_height, std::clamp<std::int64_t>((floats - one.floats() - beside) / row + 1, 1, g.out_height));
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

// Row r of the plane holds the image's row (first + r) * stride + row_residue - top, column i its column i * stride + column_residue -
// left.
void Planes::copy_plane(const float* image, std::int64_t first, std::int64_t row_residue, std::int64_t column_residue, float* to) const {
  const Window& g = window_;
  const std::int64_t down = first * g.stride_h + row_residue - g.top;
  const std::int64_t right = column_residue - g.left;
  // The first row or column at or behind pixel `from`.
  const auto reach = [](std::int64_t from, std::int64_t shift, std::int64_t stride, std::int64_t most) {
    return from <= shift ? 0 : std::min((from - shift + stride - 1) / stride, most);
  };
  const std::int64_t top = reach(0, down, g.stride_h, plane_rows_);
  const std::int64_t bottom = std::max(top, reach(g.in_height, down, g.stride_h, plane_rows_));
  std::fill_n(to, top * pitch_, 0.0F);
  loops().copy_rows({image + (down + top * g.stride_h) * g.in_width + right, g.stride_h * g.in_width, g.stride_w, bottom - top, pitch_,
                     reach(0, right, g.stride_w, pitch_), reach(g.in_width, right, g.stride_w, pitch_), to + top * pitch_});
  std::fill_n(to + bottom * pitch_, (plane_rows_ - bottom) * pitch_, 0.0F);
}

void Planes::copy(const float* image, std::int64_t first, float* to) const {
  const Window& g = window_;
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t row_residue = 0; row_residue < row_planes_; ++row_residue) {
      for (std::int64_t column_residue = 0; column_residue < column_planes_; ++column_residue, to += plane_rows_ * pitch_) {
        copy_plane(image + c * g.in_height * g.in_width, first, row_residue, column_residue, to);
      }
    }
  }
  std::fill_n(to, slack, 0.0F);
}

}  // namespace stair::backends::openblas::direct
