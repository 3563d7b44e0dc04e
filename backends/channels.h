#pragma once

#include "backends/parallel_for.h"
#include "ir/type.h"

namespace stair::backends {

/// A tensor seen as [outer, channels, inner] around an axis (negative counts from the end).
struct ChannelView {
  std::int64_t outer = 1, channels = 1, inner = 1;

  ChannelView(const ir::Shape& shape, std::int64_t axis) {
    const auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
    for (std::size_t i = 0; i < shape.size(); ++i) (i < at ? outer : i == at ? channels : inner) *= shape[i];
  }

  /// Calls body(channel, first, last) for each run of elements of one channel.
  template <class Body>
  void for_each(int threads, Body&& body) const {
    const std::int64_t runs = outer * channels;
    parallel_for(runs, runs * inner > 16384 ? threads : 1,
                 [&](std::int64_t run, int) { body(run % channels, run * inner, (run + 1) * inner); });
  }
};

/// Element c of a per-channel tensor, or its only one.
template <class T>
T of_channel(const ir::TensorView& tensor, std::int64_t c) {
  return tensor.as<T>()[tensor.count() == 1 ? 0 : c];
}

}  // namespace stair::backends
