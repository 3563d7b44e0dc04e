#include "backends/extent.h"

#include "backends/multiversion.h"
#include "backends/vectors.h"
#include "ir/op.h"

namespace stair::backends {
namespace {

STAIR_MULTIVERSION void see_run(const float* x, std::int64_t count, Extent& extent) {
  constexpr std::int64_t lanes = 16;
  Floats low[2] = {};
  Floats high[2] = {};
  for (int side = 0; side < 2; ++side) {
    low[side] += extent.low;
    high[side] += extent.high;
  }
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    for (int side = 0; side < 2; ++side) {
      Floats some;
      load(x + i + side * lanes, some);
      low[side] = some < low[side] ? some : low[side];
      high[side] = some > high[side] ? some : high[side];
    }
  }
  for (; i < count; ++i) extent.see(x[i], x[i]);
  float least[lanes];
  float most[lanes];
  store(low[1] < low[0] ? low[1] : low[0], least);
  store(high[1] > high[0] ? high[1] : high[0], most);
  for (std::int64_t half = lanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) {
      least[lane] = least[lane + half] < least[lane] ? least[lane + half] : least[lane];
      most[lane] = most[lane + half] > most[lane] ? most[lane + half] : most[lane];
    }
  }
  extent.see(least[0], most[0]);
}

}  // namespace

void Extent::see(const float* x, std::int64_t count) {
  see_run(x, count, *this);
}

Extent joined(std::span<const Extent> extents) {
  Extent all;
  for (const Extent& extent : extents) all.see(extent);
  return all;
}

Extent min_max(const ir::Node&, const Extent& batch, float low, float high) {
  Extent all = batch;
  all.see(low, high);
  return all;
}

Extent moving_average(const ir::Node& node, const Extent& batch, float low, float high) {
  const auto momentum = static_cast<float>(node.attributes.number("momentum"));
  const bool first = low > high;
  return {first ? batch.low : low + momentum * (batch.low - low), first ? batch.high : high + momentum * (batch.high - high)};
}

Observer observer_of(const ir::Node& node) {
  if (node.op->name == "observe_min_max") return min_max;
  return node.op->name == "observe_moving_average" ? moving_average : nullptr;
}

}  // namespace stair::backends
