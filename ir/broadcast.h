#pragma once

#include <algorithm>
#include <optional>

#include "ir/type.h"

namespace stair::ir {

/// The shape that two shapes broadcast to (aligned at the last dimension, 1 stretches), or nothing where they don't fit.
inline std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) return std::nullopt;
    shape[shape.size() - 1 - i] = std::max(da, db);
  }
  return shape;
}

/// For each dimension of `to`, by how many elements a step along it moves in a tensor of shape `from` that broadcasts to it: 0 where it is
/// stretched.
inline Shape broadcast_strides(const Shape& from, const Shape& to) {
  Shape strides(to.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::int64_t dim = from[from.size() - 1 - i];
    if (dim != 1) strides[to.size() - 1 - i] = stride;
    stride *= dim;
  }
  return strides;
}

/// Calls body(index of a, index of b, index of the result) for each element of the broadcast result, in order.
template <class Body>
void for_each_broadcast(const Shape& a, const Shape& b, const Shape& to, Body&& body) {
  if (a == to && b == to) {
    const std::int64_t count = element_count(to);
    for (std::int64_t i = 0; i < count; ++i) body(i, i, i);
    return;
  }
  const Shape sa = broadcast_strides(a, to);
  const Shape sb = broadcast_strides(b, to);
  const std::int64_t inner = to.empty() ? 1 : to.back();
  const std::int64_t ia = to.empty() ? 0 : sa.back();
  const std::int64_t ib = to.empty() ? 0 : sb.back();
  Shape at(to.size(), 0);
  const std::int64_t runs = element_count(to) / inner;
  for (std::int64_t row = 0; row < runs; ++row) {
    std::int64_t pa = 0;
    std::int64_t pb = 0;
    for (std::size_t d = 0; d + 1 < to.size(); ++d) {
      pa += at[d] * sa[d];
      pb += at[d] * sb[d];
    }
    for (std::int64_t i = 0; i < inner; ++i) body(pa + i * ia, pb + i * ib, row * inner + i);
    for (std::size_t d = to.size() - 1; d-- > 0;) {
      if (++at[d] < to[d]) break;
      at[d] = 0;
    }
  }
}

}  // namespace stair::ir
