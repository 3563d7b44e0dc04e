#pragma once

#include <cstdint>
#include <vector>

#include "backends/backend.h"
#include "backends/window.h"

namespace stair::backends::reference {

/// Runs body(x, y) on images [N,C,H,W], whatever the node's layout: where it is [N,H,W,C], on copies. x is operand 0, y result 0.
template <class X, class Y, class Body>
void with_channels_first(const ir::Node& node, const Window& g, const Arguments& a, Body&& body) {
  const X* x = a.operands[0].as<X>();
  Y* y = a.results[0].as<Y>();
  if (!channels_last(node.attributes)) return body(x, y);
  const std::int64_t in = g.in_height * g.in_width;
  const std::int64_t out = g.out_height * g.out_width;
  std::vector<X> first(static_cast<std::size_t>(g.images * g.in_channels * in));
  std::vector<Y> result(static_cast<std::size_t>(g.images * g.out_channels * out));
  for (std::int64_t n = 0; n < g.images; ++n) {
    for (std::int64_t c = 0; c < g.in_channels; ++c) {
      for (std::int64_t p = 0; p < in; ++p)
        first[static_cast<std::size_t>((n * g.in_channels + c) * in + p)] = x[(n * in + p) * g.in_channels + c];
    }
  }
  body(first.data(), result.data());
  for (std::int64_t n = 0; n < g.images; ++n) {
    for (std::int64_t c = 0; c < g.out_channels; ++c) {
      for (std::int64_t p = 0; p < out; ++p)
        y[(n * out + p) * g.out_channels + c] = result[static_cast<std::size_t>((n * g.out_channels + c) * out + p)];
    }
  }
}

}  // namespace stair::backends::reference
