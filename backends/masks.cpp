#include "backends/masks.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "backends/multiversion.h"
#include "backends/range.h"
#include "backends/vectors.h"
#include "ir/straight_through.h"

namespace stair::backends {
namespace {

// All floats in order, by consecutive integers.
constexpr std::int64_t infinity_key = std::bit_cast<std::int32_t>(std::numeric_limits<float>::infinity());
float value_of(std::int64_t key) {
  const auto magnitude = std::bit_cast<float>(static_cast<std::int32_t>(std::abs(key)));
  return key < 0 ? -magnitude : magnitude;
}
// The last float up to which the condition holds; it holds for -infinity and not for infinity.
template <class Condition>
std::int64_t last_before(Condition&& holds) {
  std::int64_t below = -infinity_key;
  std::int64_t above = infinity_key;
  while (above - below > 1) {
    const std::int64_t middle = (below + above) / 2;
    (holds(value_of(middle)) ? below : above) = middle;
  }
  return below;
}

STAIR_MULTIVERSION void mark(const float* x, float low, float high, std::uint8_t* marks, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) marks[i] = static_cast<std::uint8_t>((x[i] >= low ? 1 : 0) & (x[i] <= high ? 1 : 0));
}

STAIR_MULTIVERSION void keep_vectors(const float* dy, const std::uint8_t* mask, float* dx, std::int64_t vectors) {
  for (std::int64_t j = 0; j < vectors; ++j) {
    Floats x;
    load(dy + 16 * j, x);
    keep_marked(mask + 2 * j, x);
    store(x, dx + 16 * j);
  }
}

}  // namespace

Interval quotients_between(float least, float most, float scale) {
  return {value_of(last_before([&](float x) { return !(x / scale >= least); }) + 1),
          value_of(last_before([&](float x) { return x / scale <= most; }))};
}

Interval marked_by(const ir::Node& range_mask, float scale, std::int32_t zero_point) {
  const ir::Quotients<float> inside = ir::quotients_inside<float>(range_of(range_mask), zero_point);
  Interval interval = quotients_between(inside.least, inside.most, scale);
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const std::vector<double>& clamp = range_mask.attributes.numbers("clamp");
  if (!clamp.empty()) interval.low = std::max(interval.low, std::nextafter(static_cast<float>(clamp[0]), infinite));
  if (clamp.size() > 1) interval.high = std::min(interval.high, std::nextafter(static_cast<float>(clamp[1]), -infinite));
  return interval;
}

void set_bits(const float* x, Interval interval, std::uint8_t* mask, std::int64_t count) {
  constexpr std::int64_t block = 1024;
  std::uint8_t marks[block];
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t some = std::min(block, count - first);
    mark(x + first, interval.low, interval.high, marks, some);
    std::fill(marks + some, marks + (some + 7) / 8 * 8, std::uint8_t{0});
    for (std::int64_t i = 0; i < some; i += 8) {
      std::uint64_t eight = 0;
      for (std::int64_t k = 0; k < 8; ++k) eight |= std::uint64_t{marks[i + k]} << 8 * k;
      mask[(first + i) / 8] = static_cast<std::uint8_t>(eight * 0x0102040810204080U >> 56);  // gathers the lowest bits of the bytes
    }
  }
}

void keep_marked(const float* dy, const std::uint8_t* mask, std::int64_t first, float* dx, std::int64_t count) {
  const auto keep = [&](std::int64_t i) { dx[i] = (mask[(first + i) / 8] >> (first + i) % 8 & 1) != 0 ? dy[i] : 0.0F; };
  std::int64_t i = 0;
  for (; i < count && (first + i) % 8 != 0; ++i) keep(i);
  const std::int64_t vectors = (count - i) / 16;
  keep_vectors(dy + i, mask + (first + i) / 8, dx + i, vectors);
  for (i += 16 * vectors; i < count; ++i) keep(i);
}

}  // namespace stair::backends
