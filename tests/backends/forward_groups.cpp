#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "tests/support/group.h"
#include "tests/support/seeds.h"

// What activations run through between two layers of a training step.

namespace stair::tests {
namespace {

// A first batch, or a later one. The bounds.
std::vector<ir::ValueId> observe(GroupBuilder& b, ir::ValueId value) {
  const bool first = b.pick(2) == 0;
  const ir::ValueId low = b.number(first ? std::numeric_limits<float>::infinity() : -1.0F);
  const ir::ValueId high = b.number(first ? -std::numeric_limits<float>::infinity() : 2.0F);
  if (b.pick(2) == 0) {
    b.graph().emit("observe_min_max", {value, low, high});
  } else {
    b.graph().emit("observe_average", {value, low, high, b.count(first ? 0 : b.pick(12))}, {{"momentum", 0.1}});
  }
  for (const ir::ValueId result : b.results()) b.output(result);
  return {b.results()[0], b.results()[1]};
}

// With its results as outputs, but for y.
ir::ValueId batch_norm(GroupBuilder& b, ir::ValueId x, std::int64_t channels) {
  const ir::Shape shape{channels};
  const ir::ValueId y = b.graph().emit("batch_norm", {x, b.floats(shape), b.floats(shape), b.floats(shape), b.floats(shape)},
                                       {{"eps", 1e-5}, {"momentum", 0.1}});
  const std::vector<ir::ValueId> results = b.results();
  for (std::size_t i = 1; i < results.size(); ++i) b.output(results[i]);
  return y;
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
    value = batch_norm(b, value, shape[1]);
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

// The sum of two quantized tensors, read as floats by an observer and a mask, and its integers.
Group quantized_sum_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  const ir::Shape shape = b.activations();
  struct Summand {
    ir::ValueId q, scale, zero_point;
  };
  const auto summand = [&] {
    const ir::ValueId q = b.bytes(shape, b.pick(2) == 0 ? ir::DType::u8 : ir::DType::s8);
    return Summand{q, b.number(0.01F * static_cast<float>(1 + b.pick(9))), b.integer(static_cast<std::int32_t>(b.pick(100)))};
  };
  const Summand first = summand();
  const Summand second = summand();
  const auto dequantized = [&](const Summand& s) { return b.graph().emit("dequantize", {s.q, s.scale, s.zero_point}); };
  const ir::ValueId a = dequantized(first);
  ir::ValueId y = b.graph().emit("add", {a, dequantized(second)});
  const std::int64_t clamp = b.pick(3);
  if (clamp > 0) y = b.graph().emit(clamp == 1 ? "relu" : "relu6", {y});
  const ir::Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}};
  const bool observes = b.pick(3) > 0;
  ir::ValueId scale = ir::absent;
  ir::ValueId zero_point = ir::absent;
  if (observes) {
    scale = b.graph().emit("affine_parameters", observe(b, y), range);
    zero_point = b.results()[1];
    b.output(scale);
  } else {
    scale = b.number(0.01F * static_cast<float>(1 + b.pick(9)));
    zero_point = b.integer(static_cast<std::int32_t>(b.pick(100)));
  }
  std::vector<ir::ValueId> operands{first.q, second.q, first.scale, first.zero_point, second.scale, second.zero_point, scale, zero_point};
  ir::Attributes clipped = range;
  if (clamp > 0) {
    clipped.set("clamp", clamp == 1 ? std::vector<double>{0.0} : std::vector<double>{0.0, 6.0});
    operands.push_back(b.graph().emit("clamp_range", {scale, zero_point}, clipped));
  }
  if (!observes || b.pick(2) == 0) b.output(b.graph().emit("range_mask", {y, scale, zero_point}, clipped));
  ir::Attributes sum = range;
  sum.set("function", std::string("add"));
  b.output(b.graph().emit("point_binary", operands, sum));
  return b.take();
}

// A convolution by integers, batch-norm and the quantizer behind it, whose ranges are observed or given.
Group normalized_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  // Rows of whole vectors of pixels have a way of their own, as have whole panels of channels.
  const bool whole = b.pick(2) == 0;
  const std::int64_t padding = whole ? b.pick(2) : 0;
  const std::int64_t taps = whole ? 1 + 2 * padding : 1 + b.pick(3);
  const std::int64_t side = whole ? 4 * (1 + b.pick(9)) : 3 + b.pick(40);
  const std::int64_t channels = b.pick(2) == 0 ? 16 * (1 + b.pick(5)) : 1 + b.pick(40);
  const ir::ValueId q =
      b.bytes({1 + b.pick(5), 1 + b.pick(20), side, whole ? side : 3 + b.pick(40)}, b.pick(2) == 0 ? ir::DType::u8 : ir::DType::s8);
  const ir::ValueId w = b.weights({channels, b.graph().type(q).shape[1], taps, taps});
  const ir::ValueId acc = b.graph().emit("conv2d_integer", {q, w, b.integer(static_cast<std::int32_t>(b.pick(100)))},
                                         {{"padding", std::vector<std::int64_t>(4, padding)}});
  const ir::ValueId scale = b.pick(2) == 0 ? b.floats({channels}) : b.number(0.01F);
  const ir::ValueId x =
      b.graph().emit("dequantize_accumulator", b.pick(2) == 0 ? std::vector{acc, scale} : std::vector{acc, scale, b.floats({channels})});
  b.output(x);
  ir::ValueId y = batch_norm(b, x, channels);
  const std::int64_t clamp = b.pick(3);
  if (clamp > 0) y = b.graph().emit(clamp == 1 ? "relu" : "relu6", {y});
  const bool symmetric = b.pick(2) == 0;
  const ir::Attributes range{{"lo", std::int64_t{symmetric ? -127 : 0}}, {"hi", std::int64_t{symmetric ? 127 : 255}}};
  std::vector<ir::ValueId> operands{y};
  if (b.pick(3) > 0) {
    ir::Attributes attributes = range;
    attributes.set("symmetric", symmetric);
    attributes.set("power_of_two", b.pick(2) == 0);
    b.graph().emit("affine_parameters", observe(b, y), attributes);
    operands.insert(operands.end(), b.results().begin(), b.results().end());
    if (b.pick(2) == 0) {
      for (const ir::ValueId result : b.results()) b.output(result);
    }
  } else {
    operands.push_back(b.number(0.01F * static_cast<float>(1 + b.pick(9))));
    operands.push_back(b.integer(symmetric ? 0 : static_cast<std::int32_t>(b.pick(100))));
  }
  b.output(b.graph().emit("quantize", operands, range));
  if (b.pick(3) > 0) b.output(b.graph().emit("range_mask", operands, range));
  return b.take();
}

// Weights with a range for each output channel. The range of what is quantized may be another one than that of the scale.
Group weight_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  const std::int64_t channels = 2 + b.pick(70);
  const ir::ValueId w = b.floats(b.pick(2) == 0 ? ir::Shape{channels, 1 + b.pick(2000)} : ir::Shape{channels, 1 + b.pick(40), 3, 3});
  b.graph().emit("weight_range", {w});
  const std::vector<ir::ValueId> bounds = b.results();
  b.graph().emit("affine_parameters", bounds,
                 {{"lo", std::int64_t{-127}}, {"hi", std::int64_t{127}}, {"symmetric", true}, {"power_of_two", b.pick(2) == 0}});
  const std::vector<ir::ValueId> parameters = b.results();
  for (const ir::ValueId parameter : parameters) {
    if (b.pick(2) == 0) b.output(parameter);
  }
  const std::int64_t hi = b.pick(2) == 0 ? 127 : 7;
  b.output(b.graph().emit("quantize", {w, parameters[0], parameters[1]}, {{"lo", -hi}, {"hi", hi}}));
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

TEST_CASE("a quantized sum of quantized tensors runs as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(100)) {
    INFO(replay(seed));
    check_group_on_int8(quantized_sum_group(seed));
  }
}

TEST_CASE("a convolution by integers, batch-norm and the quantizer run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(100)) {
    INFO(replay(seed));
    check_group_on_int8(normalized_group(seed));
  }
}

TEST_CASE("ranges, scales and integers of weights are one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    check_group_on_int8(weight_group(seed));
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
    b.output(b.graph().emit("range_mask", operands, clipped));
    check_group_on_int8(b.take());
  }
}

}  // namespace stair::tests
