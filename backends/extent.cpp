#include "backends/extent.h"

#include "backends/ends.h"
#include "ir/op.h"

namespace stair::backends {
namespace {

STAIR_MULTIVERSION void see_run(const float* x, std::int64_t count, Extent& extent) {
  constexpr std::int64_t lanes = 16;
  Ends ends(extent);
  std::int64_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    Floats a, b;
    load(x + i, a);
    load(x + i + lanes, b);
    ends.see(a, b);
  }
  for (; i < count; ++i) extent.see(x[i], x[i]);
  ends.add_to(extent);
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
