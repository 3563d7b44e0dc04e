#include "tests/int8/node_group.h"

using namespace stair;
using ir::DType;
using ir::Shape;
using ir::ValueId;

namespace {

Shape random_shape(tests::Random& random) {
  if (random(0, 9) == 0) return {2, 57, 58, 64};  // pieces of several threads
  return {random(1, 3), random(1, 40), random(1, 20), random.pick<std::int64_t>({1, 3, 16, 17, 33, 64})};
}

ValueId random_bytes(tests::NodeGroup& group, Shape shape) {
  return group.input(DType::u8, std::move(shape), 0, 255);
}

}  // namespace

TEST_CASE("transpose: images to channels last and back, matrices") {
  tests::for_seeds(100, [](tests::Random& random, tests::NodeGroup& group) {
    const Shape shape = random_shape(random);
    const Shape permutation = random.pick<Shape>({{0, 2, 3, 1}, {0, 3, 1, 2}, {3, 0, 1, 2}, {1, 2, 3, 0}, {2, 3, 0, 1}, {0, 1, 3, 2}});
    const ValueId x = random.coin() ? random_bytes(group, shape) : group.input(DType::i32, shape, -1e9, 1e9);
    group.emit("transpose", {x}, {{"permutation", permutation}});
  });
}

TEST_CASE("concat along any axis") {
  tests::for_seeds(60, [](tests::Random& random, tests::NodeGroup& group) {
    Shape shape = random_shape(random);
    const std::int64_t axis = random(-4, 3);
    std::vector<ValueId> operands;
    for (std::int64_t i = random(1, 4); i > 0; --i) {
      shape[static_cast<std::size_t>((axis + 4) % 4)] = random(1, 20);
      operands.push_back(random_bytes(group, shape));
    }
    group.emit("concat", operands, {{"axis", axis}});
  });
}

TEST_CASE("slice along any axes") {
  tests::for_seeds(60, [](tests::Random& random, tests::NodeGroup& group) {
    const Shape shape = random_shape(random);
    Shape axes;
    Shape starts;
    Shape ends;
    for (std::int64_t axis = 0; axis < 4; ++axis) {
      if (random.coin()) continue;
      const std::int64_t size = shape[static_cast<std::size_t>(axis)];
      axes.push_back(random.coin() ? axis : axis - 4);
      starts.push_back(random(0, size - 1));
      ends.push_back(random(starts.back() + 1, size));
    }
    group.emit("slice", {random_bytes(group, shape)}, {{"axes", axes}, {"starts", starts}, {"ends", ends}});
  });
}

TEST_CASE("pad_integer on any side") {
  tests::for_seeds(60, [](tests::Random& random, tests::NodeGroup& group) {
    const Shape shape = random_shape(random);
    const bool is_signed = random.coin();
    Shape padding;
    for (int i = 0; i < 8; ++i) padding.push_back(random.coin() ? random(1, 3) : 0);
    const std::int64_t lo = is_signed ? -128 : 0;
    const ValueId x = group.input(is_signed ? DType::s8 : DType::u8, shape, static_cast<double>(lo), static_cast<double>(lo + 255));
    group.emit("pad_integer", {x, group.integer(random(lo, lo + 255))}, {{"padding", padding}});
  });
}
