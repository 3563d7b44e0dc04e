#include "backends/int8/strided_copy.h"

#include <cstring>

#include "backends/int8/parallel_for.h"

namespace stair::backends::int8 {

StridedCopy::StridedCopy(const ir::Shape& shape, const ir::Shape& from, const ir::Shape& from_origin, const ir::Shape& to,
                         const ir::Shape& to_origin, std::size_t element_bytes)
    : run_(static_cast<std::int64_t>(element_bytes)) {
  std::int64_t from_stride = run_;
  std::int64_t to_stride = run_;
  for (std::size_t d = shape.size(); d-- > 0;) {
    from_begin_ += from_origin[d] * from_stride;
    to_begin_ += to_origin[d] * to_stride;
    if (axes_.empty() && from_stride == run_ && to_stride == run_) {
      run_ *= shape[d];
    } else if (!axes_.empty() && from_stride == axes_.back().length * axes_.back().from &&
               to_stride == axes_.back().length * axes_.back().to) {
      axes_.back().length *= shape[d];
    } else if (shape[d] != 1) {
      axes_.push_back({shape[d], from_stride, to_stride});
    }
    from_stride *= from[d];
    to_stride *= to[d];
  }
  if (axes_.empty()) axes_.push_back({1, 0, 0});
  for (std::size_t d = 1; d < axes_.size(); ++d) rows_ *= axes_[d].length;
}

void StridedCopy::copy(const std::byte* from, std::byte* to, int threads) const {
  constexpr std::int64_t least = 1 << 18;  // bytes that pay for another thread
  const std::int64_t length = axes_[0].length;
  parallel_for(rows_ * length, 1, least / run_, threads, [&](std::int64_t first, std::int64_t last) {
    while (first < last) {
      std::int64_t row = first / length;
      const std::int64_t column = first % length;
      const std::int64_t end = std::min(last, first - column + length);
      const std::byte* source = from + from_begin_ + column * axes_[0].from;
      std::byte* target = to + to_begin_ + column * axes_[0].to;
      for (std::size_t d = 1; d < axes_.size(); ++d) {
        source += row % axes_[d].length * axes_[d].from;
        target += row % axes_[d].length * axes_[d].to;
        row /= axes_[d].length;
      }
      for (; first < end; ++first, source += axes_[0].from, target += axes_[0].to) {
        std::memcpy(target, source, static_cast<std::size_t>(run_));
      }
    }
  });
}

}  // namespace stair::backends::int8
