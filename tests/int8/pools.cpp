#include <doctest/doctest.h>

#include "tests/int8/node_group.h"
#include "tests/support/seeds.h"

using namespace stair;
using ir::DType;
using ir::Shape;
using ir::ValueId;

namespace {

struct RandomPool {
  DType dtype;
  Shape x;
  ir::Attributes attributes;

  explicit RandomPool(tests::Random& random) : dtype(random.coin() ? DType::s8 : DType::u8) {
    const std::int64_t channels = random.pick<std::int64_t>({1, 3, 8, 15, 16, 17, 31, 32, 63, 64, 65, 130, 512, 600});
    const Shape kernel = random.pick<Shape>({{2, 2}, {3, 3}, {random(1, 5), random(1, 5)}});
    const Shape padding{random(0, kernel[0] - 1), random(0, kernel[1] - 1), random(0, kernel[0] - 1), random(0, kernel[1] - 1)};
    const auto size = [&](std::size_t axis) {
      return std::max<std::int64_t>(1, kernel[axis] - padding[axis] - padding[axis + 2]) + random(0, 12);
    };
    x = {random(1, 3), size(0), size(1), channels};
    attributes = {{"kernel", kernel},
                  {"stride", random.coin() ? Shape{2, 2} : Shape{random(1, 3), random(1, 3)}},
                  {"padding", padding},
                  {"layout", std::string("nhwc")}};
  }
  std::int64_t lo() const { return dtype == DType::s8 ? -128 : 0; }
  ValueId input(tests::NodeGroup& group) const { return group.input(dtype, x, static_cast<double>(lo()), static_cast<double>(lo() + 255)); }
  ValueId zero_point(tests::Random& random, tests::NodeGroup& group) const { return group.integer(random(lo(), lo() + 255)); }
};

// Nothing, or what makes results of sums of about `count` elements.
void rescale(tests::Random& random, tests::NodeGroup& group, ValueId acc, std::int64_t axis, std::int64_t count) {
  const ir::Attributes bytes{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}, {"axis", axis}};
  const double m = 1.0 / static_cast<double>(count);
  switch (random(0, 4)) {
    case 0:
      return;
    case 1:
      group.emit("requantize_fixed",
                 {acc, group.input(DType::i32, {1}, 1073741824.0, 2147483647.0), group.integer(random(-6, 0)), group.integer(99)}, bytes);
      return;
    case 2:
      group.emit("dequantize_accumulator", {acc, group.scalar(m)}, {{"axis", axis}});
      return;
    default:
      group.emit("requantize", {acc, group.scalar(m), group.integer(77)}, bytes);
  }
}

}  // namespace

TEST_CASE("max_pool_integer: any window") {
  for (const std::uint64_t seed : tests::seeds(200)) {
    INFO(tests::replay(seed));
    tests::Random random(seed);
    tests::NodeGroup group(random);
    const RandomPool pool(random);
    group.emit("max_pool_integer", {pool.input(group)}, pool.attributes);
    group.check();
  }
}

TEST_CASE("max_pool_integer: pieces of several threads") {
  tests::Random random(7);
  for (const Shape& x : {Shape{1, 80, 81, 64}, Shape{2, 120, 121, 17}}) {
    tests::NodeGroup group(random);
    group.emit("max_pool_integer", {group.input(DType::u8, x, 0, 255)},
               {{"kernel", Shape{3, 3}}, {"stride", Shape{1, 1}}, {"padding", Shape{1, 1, 1, 1}}, {"layout", std::string("nhwc")}});
    group.check();
  }
}

TEST_CASE("avg_pool_integer, alone and with what rescales it") {
  for (const std::uint64_t seed : tests::seeds(200)) {
    INFO(tests::replay(seed));
    tests::Random random(seed);
    tests::NodeGroup group(random);
    const RandomPool pool(random);
    const ValueId x = pool.input(group);
    const ValueId acc = group.emit("avg_pool_integer", {x, pool.zero_point(random, group)}, pool.attributes);
    rescale(random, group, acc, random.pick<std::int64_t>({3, -1}), 4);
    group.check();
  }
}

TEST_CASE("reduce_sum_integer over neighbouring axes, alone and with what rescales it") {
  for (const std::uint64_t seed : tests::seeds(100)) {
    INFO(tests::replay(seed));
    tests::Random random(seed);
    tests::NodeGroup group(random);
    const RandomPool pool(random);
    const Shape axes = random.pick<Shape>({{1, 2}, {-2, 1}, {2}, {1}, {0, 1, 2}});
    const ValueId x = pool.input(group);
    const ValueId acc = group.emit("reduce_sum_integer", {x, pool.zero_point(random, group)}, {{"axes", axes}, {"keep", random.coin()}});
    rescale(random, group, acc, -1, pool.x[1]);
    group.check();
  }
}
