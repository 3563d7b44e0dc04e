#pragma once

#include <type_traits>

#include "backends/channels.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {

/// Whether neighbours belong to different channels, so that a row's parameters are vectors themselves: x [N, C].
using Columns_t = std::true_type;
using OneChannel_t = std::false_type;

/// Parameter i of a row: its own, or the row's only one (which was loaded before the loop).
template <bool columns, class T>
__attribute__((always_inline)) inline T parameter(const T* values, T only, std::int64_t i) {
  if constexpr (columns) {
    return values[i];
  } else {
    return only;
  }
}

/// Calls body(kind, channel, first, last) for rows of elements: pieces of the tensor where one set of parameters is `shared`, else the
/// channels' runs, or whole rows of channels (from channel 0 on) where a run is a single element.
template <class Body>
void for_channel_runs(const ChannelView& view, bool shared, int threads, Body&& body) {
  if (shared || view.channels == 1) {
    for_pieces(view.outer * view.channels * view.inner, threads,
               [&](std::int64_t, std::int64_t first, std::int64_t last) { body(OneChannel_t{}, std::int64_t{0}, first, last); });
  } else if (view.inner == 1) {
    for_runs(view.outer, view.channels, threads,
             [&](std::int64_t, std::int64_t first, std::int64_t last) { body(Columns_t{}, std::int64_t{0}, first, last); });
  } else {
    for_runs(view.outer * view.channels, view.inner, threads,
             [&](std::int64_t run, std::int64_t first, std::int64_t last) { body(OneChannel_t{}, run % view.channels, first, last); });
  }
}

/// The same where a row of many channels is of no use to the body: each run alone.
template <class Body>
void for_single_runs(const ChannelView& view, bool shared, int threads, Body&& body) {
  if (shared || view.channels == 1) return for_channel_runs(view, true, threads, [&](auto, auto... at) { body(at...); });
  for_runs(view.outer * view.channels, view.inner, threads,
           [&](std::int64_t run, std::int64_t first, std::int64_t last) { body(run % view.channels, first, last); });
}

}  // namespace stair::backends::openblas
