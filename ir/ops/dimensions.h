#pragma once

// What OpSchema::dimensions says of ops of several kinds.

#include <algorithm>
#include <numeric>

#include "ir/op.h"

namespace stair::ir::ops {

using Dimensions = OpSchema::Dimensions;

/// Element by element; shapes broadcast.
inline Dimensions each_element(const InferContext& c) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < c.operands.size(); ++i) rank = std::max(rank, c.operands[i] == nullptr ? 0 : c.shape(i).size());
  Dimensions all(c.operands.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (c.operands[i] == nullptr) continue;
    all[i].resize(c.shape(i).size());
    std::iota(all[i].begin(), all[i].end(), static_cast<std::int64_t>(rank - all[i].size()));
  }
  return all;
}

/// Of operand 0 those dimensions for which keeps(dimension) holds, each in its place; of the others, parameters, none.
template <class Keeps>
Dimensions of_first(const InferContext& c, Keeps&& keeps) {
  Dimensions all(c.operands.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (c.operands[i] != nullptr) all[i].assign(c.shape(i).size(), absent);
  }
  for (std::size_t d = 0; d < all[0].size(); ++d) {
    if (keeps(d)) all[0][d] = static_cast<std::int64_t>(d);
  }
  return all;
}

/// Operand 0 element by element, with parameters beside it.
inline Dimensions each_element_of_first(const InferContext& c) {
  return of_first(c, [](std::size_t) { return true; });
}

/// Image by image.
inline Dimensions each_image(const InferContext& c) {
  return of_first(c, [](std::size_t d) { return d == 0; });
}

/// Plane by plane.
inline Dimensions each_plane(const InferContext& c) {
  return of_first(c, [](std::size_t d) { return d < 2; });
}

/// Of every operand all dimensions but the attribute `axis`.
inline Dimensions beside_axis(const InferContext& c) {
  Dimensions all = each_element(c);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::int64_t axis = c.attributes.integer("axis");
    all[i][static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(all[i].size()) : axis)] = absent;
  }
  return all;
}

}  // namespace stair::ir::ops
