#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/parallel_for.h"

namespace stair::backends::openblas {

inline constexpr std::int64_t piece_size = 16384;
inline std::int64_t piece_count(std::int64_t count, std::int64_t size = piece_size) {
  return (count + size - 1) / size;
}

/// The step that cuts `count` into as few pieces of at most `most` as it takes, all about equal.
inline std::int64_t balanced(std::int64_t count, std::int64_t most) {
  return piece_count(count, piece_count(count, std::max<std::int64_t>(most, 1)));
}

/// Calls body(item) for 0 <= item < items, each from one thread. One item runs where it stands.
template <class Body>
void for_items(std::int64_t items, int threads, Body&& body) {
  parallel_for(items, threads, [&](std::int64_t item, int) { body(item); });
}

/// Calls body(piece, first, last) for pieces of [0, count) whose size doesn't depend on the number of threads (N-REPEAT).
template <class Body>
void for_pieces(std::int64_t count, int threads, Body&& body) {
  for_items(piece_count(count), threads,
            [&](std::int64_t piece) { body(piece, piece * piece_size, std::min(count, (piece + 1) * piece_size)); });
}

/// Calls body(run, first, last) for `runs` runs of `length` neighbours, some of them at a time where they are short.
template <class Body>
void for_runs(std::int64_t runs, std::int64_t length, int threads, Body&& body) {
  const std::int64_t group = std::max<std::int64_t>(1, piece_size / std::max<std::int64_t>(length, 1));
  for_items(piece_count(runs, group), threads, [&](std::int64_t piece) {
    for (std::int64_t run = piece * group; run < std::min(runs, (piece + 1) * group); ++run) body(run, run * length, (run + 1) * length);
  });
}

}  // namespace stair::backends::openblas
