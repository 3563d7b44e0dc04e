#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace stair::ir {

/// How many positions of a pool's windows lie inside of the image, along one of its sides. Padding is smaller than the window, so that
/// there is at least one.
struct WindowCounts {
  std::int64_t in, out, kernel, stride, before;  ///< `before`: padding at the begin

  std::int64_t operator()(std::int64_t i) const {
    const std::int64_t first = i * stride - before;
    return std::min(first + kernel, in) - std::max(first, std::int64_t{0});
  }
  /// The least common multiple of all counts; `most` + 1 where it is more.
  std::int64_t common_multiple(std::int64_t most) const {
    std::int64_t multiple = 1;
    std::int64_t last = 0;
    for (std::int64_t i = 0; i < out && multiple <= most; ++i) {
      const std::int64_t count = (*this)(i);
      if (count == last) continue;
      last = count;
      const std::int64_t factor = count / std::gcd(multiple, count);
      multiple = factor > most / multiple ? most + 1 : multiple * factor;
    }
    return multiple;
  }
};

}  // namespace stair::ir
