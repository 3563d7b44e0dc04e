#pragma once

#include <algorithm>
#include <cstdint>

namespace stair::backends::int8 {

/// Calls body(first, last) for pieces of [0, count) that begin at multiples of `grain` and have `least` elements or more each: so many that
/// handing them to another thread pays. Pieces follow from the shape alone (N-REPEAT); a single one runs where it stands.
template <class Body>
void parallel_for(std::int64_t count, std::int64_t grain, std::int64_t least, int threads, Body&& body) {
  const std::int64_t wanted = std::max<std::int64_t>(1, count / std::max<std::int64_t>(least, 1));
  const std::int64_t size = std::max<std::int64_t>(1, (count + wanted * grain - 1) / (wanted * grain)) * grain;
  const std::int64_t pieces = (count + size - 1) / size;
#pragma omp parallel for num_threads(threads) schedule(static) if (threads > 1 && pieces > 1)
  for (std::int64_t piece = 0; piece < pieces; ++piece) body(piece * size, std::min(count, (piece + 1) * size));
}

/// For operations element by element: some microseconds' work.
inline constexpr std::int64_t elements_of_piece = 1 << 15;

/// Calls body(first, last) for pieces of elements that begin at cache lines.
template <class Body>
void for_elements(std::int64_t count, int threads, Body&& body) {
  constexpr std::int64_t line = 64;
  parallel_for(count, line, elements_of_piece, threads, body);
}

}  // namespace stair::backends::int8
