#include "backends/moments.h"

#include <algorithm>

#include "backends/min_max_lanes.h"

namespace stair::backends {
namespace {

constexpr std::int64_t lanes = 16;
constexpr std::int64_t most = 32 * 2 * lanes;  // elements that are summed in float: at most 32 a lane, as in lanes.h

// Sums of 2 * lanes lanes.
struct Sums {
  Floats low = {}, high = {};
  STAIR_INLINE double total() const {
    using EightFloats __attribute__((vector_size(32))) = float;
    using Eight __attribute__((vector_size(64))) = double;
    using Four __attribute__((vector_size(32))) = double;
    using Two __attribute__((vector_size(16))) = double;
    EightFloats floats[4];
    halve(low, floats[0], floats[1]);
    halve(high, floats[2], floats[3]);
    const Eight eight = (__builtin_convertvector(floats[0], Eight) + __builtin_convertvector(floats[2], Eight)) +
                        (__builtin_convertvector(floats[1], Eight) + __builtin_convertvector(floats[3], Eight));
    Four four[2];
    halve(eight, four[0], four[1]);
    four[0] += four[1];
    Two two[2];
    halve(four[0], two[0], two[1]);
    two[0] += two[1];
    return two[0][0] + two[0][1];
  }
};

// Of up to `most` elements; `see` is called for all 32 of them that are whole.
template <class See>
STAIR_INLINE Moments moments_of_part(const float* x, std::int64_t count, See&& see) {
  const float centre = *x;
  Sums deviations, squares;
  const auto add = [&](const Floats& low, const Floats& high) STAIR_INLINE_BODY {
    const Floats a = low - centre;
    const Floats b = high - centre;
    deviations.low += a;
    deviations.high += b;
    squares.low += a * a;
    squares.high += b * b;
  };
  Floats low, high;
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    load(x + i, low);
    load(x + i + lanes, high);
    see(low, high);
    add(low, high);
  }
  if (i < count) {
    float rest[2 * lanes];
    for (std::int64_t lane = 0; lane < 2 * lanes; ++lane) rest[lane] = i + lane < count ? x[i + lane] : centre;
    load(rest, low);
    load(rest + lanes, high);
    add(low, high);
  }
  const double sum = deviations.total();
  const double offset = sum / static_cast<double>(count);
  return {static_cast<double>(centre) + offset, std::max(squares.total() - sum * offset, 0.0)};
}

template <class See>
STAIR_INLINE Moments moments_of_row(const float* x, std::int64_t count, See&& see) {
  Moments all;
  for (std::int64_t done = 0; done < count; done += most) {
    const std::int64_t some = std::min(most, count - done);
    merge(all, static_cast<double>(done), moments_of_part(x + done, some, see), static_cast<double>(some));
  }
  return all;
}

}  // namespace

STAIR_MULTIVERSION Moments moments_of(const float* x, std::int64_t count) {
  return moments_of_row(x, count, [](const Floats&, const Floats&) STAIR_INLINE_BODY {});
}

STAIR_MULTIVERSION Moments moments_of(const float* x, std::int64_t count, MinMax& extent) {
  MinMaxLanes ends(extent);
  const Moments moments = moments_of_row(x, count, [&](const Floats& low, const Floats& high) STAIR_INLINE_BODY { ends.see(low, high); });
  for (std::int64_t i = count / (2 * lanes) * (2 * lanes); i < count; ++i) extent.see(x[i], x[i]);
  ends.add_to(extent);
  return moments;
}

}  // namespace stair::backends
