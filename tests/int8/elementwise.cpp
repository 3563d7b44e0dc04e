#include <cmath>
#include <limits>

#include "tests/int8/node_group.h"

using namespace stair;
using ir::DType;
using ir::Shape;
using ir::ValueId;

namespace {

// A range of 2 to 8 bits as attributes, with its type and a zero point.
struct RandomRange {
  bool is_signed;
  std::int64_t lo, hi, zero_point;
  ir::Attributes attributes;

  explicit RandomRange(tests::Random& random) : is_signed(random.coin()) {
    const std::int64_t bits = random(2, 8);
    lo = is_signed ? -(std::int64_t{1} << (bits - 1)) : 0;
    hi = lo + (std::int64_t{1} << bits) - 1;
    zero_point = random(lo, hi);
    attributes = {{"lo", lo}, {"hi", hi}};
  }
  DType dtype() const { return is_signed ? DType::s8 : DType::u8; }
};

struct RandomBytes {
  DType dtype;
  std::int64_t lo, hi;
  explicit RandomBytes(tests::Random& random) : dtype(random.coin() ? DType::s8 : DType::u8) {
    lo = dtype == DType::s8 ? -128 : 0;
    hi = lo + 255;
  }
  ValueId of(tests::NodeGroup& group, Shape shape) const {
    return group.input(dtype, std::move(shape), static_cast<double>(lo), static_cast<double>(hi));
  }
  std::int64_t any(tests::Random& random) const { return random(lo, hi); }
};

float random_scale(tests::Random& random) {
  return random.pick({0.25F, 1.0F, random.real(0.001F, 1), random.real(0.1F, 3), 3e-39F, 1e-33F, 1e33F});
}

// Whatever a quantizer may meet: multiples of half a step, their neighbours, and what is no number.
float random_float(tests::Random& random, float scale) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const float half_steps = 0.5F * static_cast<float>(random(-600, 600)) * scale;
  switch (random(0, 9)) {
    case 0:
      return random.pick({infinity, -infinity, std::numeric_limits<float>::quiet_NaN(), 0.0F, -0.0F, 3e38F, -1e-45F});
    case 1:
      return std::nextafter(half_steps, infinity);
    case 2:
      return std::nextafter(half_steps, -infinity);
    case 3:
    case 4:
      return half_steps;
    default:
      return random.real(-300, 300) * scale;
  }
}

std::int64_t random_count(tests::Random& random) {
  return random.pick<std::int64_t>({1, 15, 255, 1000, random(1, 400), 70'001});
}

Shape random_image(tests::Random& random) {
  return {random(1, 3), random.pick<std::int64_t>({1, 2, 3, 16, 17, 32, 65}), random(1, 20), random(1, 20)};
}

}  // namespace

TEST_CASE("quantize: the bits of the division, alone and with what follows") {
  tests::for_seeds(150, [](tests::Random& random, tests::NodeGroup& group) {
    const RandomRange range(random);
    const float scale = random_scale(random);
    const std::int64_t kind = random(0, 2);
    Shape shape{random_count(random)};
    if (kind == 1) shape = {random(1, 3), 3, random(1, 20), random(1, 20)};
    if (kind == 1 && random.coin()) shape = {2, 3, 150, 151};
    if (kind == 2) shape = random_image(random);
    const ValueId x = group.floats(shape, [&] { return random_float(random, scale); });
    const ValueId q =
        group.emit("quantize", {x, group.scalar(static_cast<double>(scale)), group.integer(range.zero_point)}, range.attributes);
    if (kind == 1) group.emit("transpose", {q}, {{"permutation", Shape{0, 2, 3, 1}}});
    if (kind == 2) group.emit("reshape", {q}, {{"shape", Shape{shape[0], -1}}});
  });
}

TEST_CASE("quantize and dequantize: a scale for each channel") {
  tests::for_seeds(60, [](tests::Random& random, tests::NodeGroup& group) {
    Shape shape = random_image(random);
    shape[3] += 1;
    const std::int64_t axis = random(0, 1);
    const Shape channels{shape[static_cast<std::size_t>(axis)]};
    const ValueId scale = group.input(DType::f32, channels, 0.01, 1);
    if (random.coin()) {
      ir::Attributes attributes = RandomRange(random).attributes;
      attributes.set("axis", axis);
      return group.emit("quantize", {group.input(DType::f32, shape, -90, 90), scale, group.integer(0)}, attributes);
    }
    const RandomBytes bytes(random);
    return group.emit("dequantize", {bytes.of(group, shape), scale, group.integer(bytes.any(random))}, {{"axis", axis}});
  });
}

TEST_CASE("requantize, requantize_fixed, dequantize_accumulator: any axis") {
  tests::for_seeds(200, [](tests::Random& random, tests::NodeGroup& group) {
    Shape shape = random_image(random);
    if (random(0, 9) == 0) shape = {2, 40, 41, 31};
    const std::int64_t axis = random(-4, 3);
    const std::int64_t channels = shape[static_cast<std::size_t>((axis + 4) % 4)];
    const auto of_channels = [&] { return Shape{random.coin() ? channels : 1}; };
    const RandomRange range(random);
    ir::Attributes attributes = range.attributes;
    attributes.set("axis", axis);
    const ValueId acc = group.input(DType::i32, shape, -20000, 20000);
    ValueId bias = ir::absent;
    if (random.coin()) {
      bias = random.coin() ? group.input(DType::i32, {channels}, -3000, 3000) : group.input(DType::f32, {channels}, -20, 20);
    }
    ValueId narrow = ir::absent;
    if (random.coin()) {
      const std::int64_t low = random(range.lo, range.hi);
      narrow = group.integers({low, random(low, range.hi)});
    }
    switch (random(0, 2)) {
      case 0:
        return group.emit("requantize",
                          {acc, group.input(DType::f32, of_channels(), 0.001, 0.02), group.integer(range.zero_point), bias, narrow},
                          attributes);
      case 1:
        return group.emit("requantize_fixed",
                          {acc, group.input(DType::i32, of_channels(), 1073741824.0, 2147483647.0),
                           group.input(DType::i32, of_channels(), -9, 2), group.integer(range.zero_point), bias, narrow},
                          attributes);
      default:
        return group.emit("dequantize_accumulator", {acc, group.input(DType::f32, of_channels(), 0.001, 0.02), bias}, {{"axis", axis}});
    }
  });
}

TEST_CASE("softmax_integer: rows of any length") {
  tests::for_seeds(150, [](tests::Random& random, tests::NodeGroup& group) {
    const std::int64_t length = random.coin() ? random(1, 70) : random(1, 1200);
    const Shape shape{random(1, 3), random(1, random(0, 9) == 0 ? 200 : 5), length};
    const RandomRange range(random);
    ir::Attributes attributes = range.attributes;
    attributes.set("axis", random.coin() ? std::int64_t{-1} : std::int64_t{2});
    std::vector<std::int64_t> table;
    const double scale = static_cast<double>(random_scale(random)) / 4;
    for (int d = 0; d < 256; ++d) table.push_back(random(0, 9) == 0 ? random(0, 1 << 24) : std::llround(std::exp(-d * scale) * 0x1p24));
    const std::int64_t shift = random(0, 4) == 0 ? random(-31, 30) : random(0, 14);
    const ValueId q = RandomBytes(random).of(group, shape);
    group.emit(
        "softmax_integer",
        {q, group.integers(table), group.integer(random(1073741824, 2147483647)), group.integer(shift), group.integer(range.zero_point)},
        attributes);
  });
}

TEST_CASE("layer_norm_integer, group_norm_integer: rows of any length") {
  tests::for_seeds(150, [](tests::Random& random, tests::NodeGroup& group) {
    const bool by_channel = random.coin();
    const std::int64_t groups = random(1, 3);
    Shape shape{random(1, 3), groups * random(1, 4), random(1, 40)};
    if (random.coin()) shape.push_back(random(1, random(0, 9) == 0 ? 300 : 20));
    const RandomRange range(random);
    ir::Attributes attributes = range.attributes;
    Shape parameters{shape[1]};
    if (by_channel) {
      attributes.set("groups", groups);
    } else {
      const std::int64_t axis = random(1, static_cast<std::int64_t>(shape.size()) - 1);
      attributes.set("axis", axis);
      parameters = Shape(shape.begin() + axis, shape.end());
    }
    const double most = random.pick({300.0, 100000.0, 0x1p30});
    const ValueId q = random(0, 9) == 0 ? group.input(DType::s8, shape, -128, -127) : RandomBytes(random).of(group, shape);
    const ValueId gamma = group.input(DType::i32, parameters, -most, most);
    const ValueId beta = group.input(DType::i32, parameters, -most, most);
    const ValueId k = group.integer(random.coin() ? random(0, 30) : random(4, 14));
    const ValueId mantissa = group.integer(random(0, 9) == 0 ? 0 : random(1073741824, 2147483647));
    const ValueId shift = group.integer(random(-31, 30));
    group.emit(by_channel ? "group_norm_integer" : "layer_norm_integer",
               {q, gamma, beta, k, mantissa, shift, group.integer(range.zero_point)}, attributes);
  });
}

TEST_CASE("point_binary, add_fixed, mul_fixed: equal shapes and broadcast ones") {
  tests::for_seeds(200, [](tests::Random& random, tests::NodeGroup& group) {
    Shape a = random_image(random);
    if (random(0, 9) == 0) a = {1, 33, 50, 51};
    Shape b = a;
    if (random.coin()) {
      for (std::int64_t& size : b) size = random.coin() ? 1 : size;
    }
    if (random.coin()) std::swap(a, b);
    const RandomBytes of_a(random);
    const RandomBytes of_b(random);
    const RandomRange range(random);
    const ValueId x = of_a.of(group, a);
    const ValueId y = of_b.of(group, b);
    const ValueId za = group.integer(of_a.any(random));
    const ValueId zb = group.integer(of_b.any(random));
    const ValueId zy = group.integer(range.zero_point);
    ir::Attributes attributes = range.attributes;
    const auto scale = [&] { return group.scalar(static_cast<double>(random.pick({0.25F, 0.5F, random.real(0.01F, 1)}))); };
    switch (random(0, 2)) {
      case 0:
        attributes.set("function", std::string(random.pick({"add", "sub", "mul"})));
        return group.emit("point_binary", {x, y, scale(), za, scale(), zb, scale(), zy}, attributes);
      case 1: {
        attributes.set("subtract", random.coin());
        const ValueId mantissa = group.input(DType::i32, {3}, 1073741824.0, 2147483647.0);
        return group.emit("add_fixed", {x, y, za, zb, mantissa, group.input(DType::i32, {3}, -22, 0), zy}, attributes);
      }
      default:
        return group.emit("mul_fixed",
                          {x, y, za, zb, group.input(DType::i32, {1}, 1073741824.0, 2147483647.0), group.input(DType::i32, {1}, -9, 0), zy},
                          attributes);
    }
  });
}

TEST_CASE("lookup: every integer, odd lengths") {
  tests::for_seeds(40, [](tests::Random& random, tests::NodeGroup& group) {
    const ValueId q = RandomBytes(random).of(group, {random_count(random)});
    group.emit("lookup", {q, RandomBytes(random).of(group, {256})});
  });
}
