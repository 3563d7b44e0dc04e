#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "tests/support/group.h"
#include "tests/support/seeds.h"

// What activations run through between two layers of a training step.

namespace stair::tests {
namespace {

// A first batch, or a later one.
void observe(GroupBuilder& b, ir::ValueId value) {
  const bool first = b.pick(2) == 0;
  const ir::ValueId low = b.number(first ? std::numeric_limits<float>::infinity() : -1.0F);
  const ir::ValueId high = b.number(first ? -std::numeric_limits<float>::infinity() : 2.0F);
  if (b.pick(2) == 0) {
    b.graph().emit("observe_min_max", {value, low, high});
  } else {
    b.graph().emit("observe_moving_average", {value, low, high}, {{"momentum", 0.1}});
  }
  for (const ir::ValueId result : b.results()) b.output(result);
}

Group forward_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  const ir::Shape shape = b.activations();
  const bool normalizes = b.pick(3) > 0;
  const bool adds = b.pick(2) == 0;
  const std::int64_t clamp = normalizes ? b.pick(3) : 1 + b.pick(2);
  const bool observes = b.pick(2) == 0 || !(normalizes || adds);
  ir::ValueId value = b.floats(shape);
  if (normalizes) {
    const ir::Shape channels{shape[1]};
    value = b.graph().emit("batch_norm", {value, b.floats(channels), b.floats(channels), b.floats(channels), b.floats(channels)},
                           {{"eps", 1e-5}, {"momentum", 0.1}});
    const std::vector<ir::ValueId> results = b.results();
    for (std::size_t i = 1; i < results.size(); ++i) b.output(results[i]);
  }
  if (adds) {
    const ir::ValueId other = b.floats(shape);
    value = b.graph().emit("add", b.pick(2) == 0 ? std::vector{value, other} : std::vector{other, value});
  }
  if (clamp > 0) value = b.graph().emit(clamp == 1 ? "relu" : "relu6", {value});
  b.output(value);
  if (!observes) return b.take();
  observe(b, value);
  return b.take();
}

// The sum of one or two dequantized tensors.
Group residual_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  const ir::Shape shape = b.activations();
  const auto dequantized = [&] {
    const ir::ValueId q = b.bytes(shape, b.pick(2) == 0 ? ir::DType::u8 : ir::DType::s8);
    return b.graph().emit("dequantize",
                          {q, b.number(0.01F * static_cast<float>(1 + b.pick(9))), b.integer(static_cast<std::int32_t>(b.pick(100)))});
  };
  ir::ValueId first = dequantized();
  ir::ValueId second = b.pick(2) == 0 ? dequantized() : b.floats(shape);
  if (b.pick(2) == 0) std::swap(first, second);
  ir::ValueId value = b.graph().emit("add", {first, second});
  if (b.pick(2) == 0) value = b.graph().emit("relu", {value});
  b.output(value);
  if (b.pick(2) == 0) observe(b, value);
  return b.take();
}

}  // namespace

TEST_CASE("activations between two layers run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(150)) {
    INFO(replay(seed));
    check_group_on_openblas(forward_group(seed));
  }
}

TEST_CASE("residual sums of dequantized tensors run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(100)) {
    INFO(replay(seed));
    check_group_on_int8(residual_group(seed));
  }
}

TEST_CASE("a quantizer and its mask run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    GroupBuilder b(seed);
    const ir::ValueId x = b.floats(b.activations());
    const ir::ValueId scale = b.number(0.01F * static_cast<float>(1 + b.pick(9)));
    const std::vector<ir::ValueId> operands{x, scale, b.integer(static_cast<std::int32_t>(b.pick(100)))};
    const ir::Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
    b.output(b.graph().emit("quantize", operands, range));
    ir::Attributes clipped{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
    if (b.pick(2) == 0) clipped.set("clamp", std::vector<double>{0.0, 6.0});
    b.output(b.graph().emit("clip_mask", operands, clipped));
    check_group_on_int8(b.take());
  }
}

}  // namespace stair::tests
