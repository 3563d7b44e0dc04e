#include "backends/min_max.h"

#include <algorithm>
#include <cmath>

#include "backends/min_max_lanes.h"
#include "ir/op.h"

namespace stair::backends {
namespace {

STAIR_MULTIVERSION void see_run(const float* x, std::int64_t count, MinMax& extent) {
  constexpr std::int64_t lanes = 16;
  MinMaxLanes ends(extent);
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

Seen min_max(const ir::Node&, const MinMax& batch, const Seen& before) {
  MinMax all = batch;
  all.see(before.bounds);
  return {all};
}

// The bounds, moved towards the batch's by its share; those of a first batch.
MinMax moved(const MinMax& bounds, const MinMax& batch, float share) {
  if (bounds.low > bounds.high) return batch;
  return {bounds.low + share * (batch.low - bounds.low), bounds.high + share * (batch.high - bounds.high)};
}

Seen average(const ir::Node& node, const MinMax& batch, const Seen& before) {
  const double momentum = node.attributes.number("momentum");
  // The count stops there, and counts of 2^53 have room in a double.
  const auto settled = static_cast<std::int64_t>(std::min(std::ceil(1 / momentum), 0x1p53));
  const bool first = before.bounds.low > before.bounds.high;
  const std::int64_t known = before.count < 1 ? settled : before.count;
  const std::int64_t count = first ? 1 : std::min(known, settled - 1) + 1;
  return {moved(before.bounds, batch, static_cast<float>(std::max(momentum, 1 / static_cast<double>(count)))), count};
}

}  // namespace

void MinMax::see(const float* x, std::int64_t count) {
  see_run(x, count, *this);
}

MinMax joined(std::span<const MinMax> bounds_seen) {
  MinMax all;
  for (const MinMax& extent : bounds_seen) all.see(extent);
  return all;
}

Seen Seen::load(std::span<const ir::TensorView> tensors) {
  return {{*tensors[0].as<float>(), *tensors[1].as<float>()}, tensors.size() > 2 ? *tensors[2].as<std::int64_t>() : 0};
}

void Seen::store(std::span<const ir::TensorView> tensors) const {
  *tensors[0].as<float>() = bounds.low;
  *tensors[1].as<float>() = bounds.high;
  if (tensors.size() > 2) *tensors[2].as<std::int64_t>() = count;
}

Observer observer_of(const ir::Node& node) {
  if (node.op->name == "observe_min_max") return min_max;
  return node.op->name == "observe_average" ? average : nullptr;
}

}  // namespace stair::backends
