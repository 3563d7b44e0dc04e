#include "backends/extent.h"

#include <algorithm>
#include <cmath>

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

Seen min_max(const ir::Node&, const Extent& batch, const Seen& before) {
  Extent all = batch;
  all.see(before.bounds);
  return {all};
}

// The bounds, moved towards the batch's by its share; those of a first batch.
Extent moved(const Extent& bounds, const Extent& batch, float share) {
  if (bounds.low > bounds.high) return batch;
  return {bounds.low + share * (batch.low - bounds.low), bounds.high + share * (batch.high - bounds.high)};
}

Seen average(const ir::Node& node, const Extent& batch, const Seen& before) {
  const double momentum = node.attributes.number("momentum");
  // The count stops there, and counts of 2^53 have room in a double.
  const auto settled = static_cast<std::int64_t>(std::min(std::ceil(1 / momentum), 0x1p53));
  const bool first = before.bounds.low > before.bounds.high;
  const std::int64_t known = before.count < 1 ? settled : before.count;
  const std::int64_t count = first ? 1 : std::min(known, settled - 1) + 1;
  return {moved(before.bounds, batch, static_cast<float>(std::max(momentum, 1 / static_cast<double>(count)))), count};
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
