#include "backends/openblas/direct/source.h"

#include <algorithm>

#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t pointwise_positions = 384;  // whose results stay in the first-level cache, of some channels

}  // namespace

bool pointwise(const Window& g) {
  return g.kernel_height * g.kernel_width == 1 && g.stride_h * g.stride_w == 1 && g.top == 0 && g.left == 0 &&
         g.in_height == g.out_height && g.in_width == g.out_width;
}

Source::Source(const Window& g, std::int64_t rows, std::int64_t least) : rows_(rows), pitch_(g.out_width) {
  const std::int64_t last_rows = g.out_height - (piece_count(g.out_height, rows) - 1) * rows;
  if (pointwise(g) && last_rows * g.out_width >= least) {
    for (std::int64_t c = 0; c < g.group_in(); ++c) offsets_.push_back(static_cast<std::int32_t>(c * g.in_height * g.in_width));
  } else {
    planes_.emplace(g, rows);
    pitch_ = planes_->pitch();
  }
}

const float* Source::at(const float* image, std::int64_t first, float* memory) const {
  if (in_place()) return image + first * pitch_;
  planes_->copy(image, first, memory);
  return memory;
}

std::int64_t source_rows(const Window& g, bool even) {
  const std::int64_t most = pointwise(g) ? std::max<std::int64_t>(1, pointwise_positions / g.out_width) : tile_rows(g, second_level_floats);
  const std::int64_t tiles = piece_count(g.out_height, std::min(most, g.out_height));
  return piece_count(g.out_height, even ? (tiles + 1) / 2 * 2 : tiles);
}

}  // namespace stair::backends::openblas::direct
