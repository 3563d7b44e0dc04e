#include <doctest/doctest.h>

#include "tests/int8/node_group.h"

using namespace stair;
using namespace stair::tests;

namespace {

struct Shapes {
  ir::Shape a, b, y;
  bool transpose_a, transpose_b;
};

Shapes random_shapes(Random& random) {
  const auto m = random.pick<std::int64_t>({1, 2, 3, 5, 8, 16, 17, 33, 47, 70});
  const auto k = random.pick<std::int64_t>({1, 3, 4, 13, 16, 64, 65, 100, 128, 150});
  const auto n = random.pick<std::int64_t>({1, 4, 7, 8, 15, 16, 17, 40, 64, 65, 100});
  Shapes s{{}, {}, {}, random.coin(), random.coin()};
  for (std::int64_t i = random(0, 2); i > 0; --i) {
    const std::int64_t size = random(1, 3);
    const std::int64_t broadcast = random(0, 3);
    s.a.push_back(broadcast == 1 ? 1 : size);
    s.b.push_back(broadcast == 2 ? 1 : size);
    s.y.push_back(size);
  }
  if (random(0, 3) == 0) s.b.clear();
  s.a.insert(s.a.end(), {s.transpose_a ? k : m, s.transpose_a ? m : k});
  s.b.insert(s.b.end(), {s.transpose_b ? n : k, s.transpose_b ? k : n});
  s.y.insert(s.y.end(), {m, n});
  // Where both operands repeat on an axis, so does the result.
  for (std::size_t i = 0; i + 2 < s.y.size(); ++i) {
    const bool in_b = s.b.size() == s.y.size();
    s.y[i] = std::max(s.a[i], in_b ? s.b[i] : 1);
  }
  return s;
}

ir::ValueId product(Random& random, NodeGroup& group, const Shapes& s) {
  const bool extreme = random(0, 3) == 0;
  const auto operand = [&](const ir::Shape& shape, bool is_signed) {
    const double lo = is_signed ? -128 : 0;
    const double hi = lo + 255;
    return group.input(is_signed ? ir::DType::s8 : ir::DType::u8, shape, extreme && random.coin() ? hi : lo, hi);
  };
  const auto zero = [&](bool is_signed) {
    const std::int64_t lo = is_signed ? -128 : 0;
    return group.integer(extreme ? lo + 255 * random(0, 1) : random(lo, lo + 255));
  };
  const bool a_signed = random.coin();
  const bool b_signed = random.coin();
  const ir::ValueId a = operand(s.a, a_signed);
  const ir::ValueId b = operand(s.b, b_signed);
  return group.emit("matmul_integer", {a, b, zero(a_signed), b_signed && random.coin() ? group.integer(0) : zero(b_signed)},
                    {{"transpose_a", s.transpose_a}, {"transpose_b", s.transpose_b}});
}

}  // namespace

TEST_CASE("matrix products of activations: alone, with a rescale and with an addition behind it") {
  for_seeds(80, [](Random& random, NodeGroup& group) {
    const Shapes s = random_shapes(random);
    const ir::ValueId acc = product(random, group, s);
    const std::int64_t n = random.coin() ? s.y.back() : 1;
    const auto multipliers = [&] { return group.floats({n}, [&] { return random.real(0.0001F, 0.005F); }); };
    const std::int64_t kind = random(0, 3);
    if (kind == 0) return;
    if (kind == 1) {
      group.emit("dequantize_accumulator", {acc, multipliers()}, {{"axis", std::int64_t{-1}}});
      return;
    }
    const ir::Attributes range{{"lo", std::int64_t{0}}, {"hi", std::int64_t{255}}, {"axis", std::int64_t{-1}}};
    ir::ValueId bias = ir::absent;
    if (random.coin()) bias = group.input(ir::DType::i32, {s.y.back()}, -3000, 3000);
    const ir::ValueId q = group.emit("requantize", {acc, multipliers(), group.integer(30), bias}, range);
    if (kind == 2) return;
    const ir::ValueId other = group.input(ir::DType::u8, s.y, 0, 255);
    group.emit(
        "point_binary",
        {q, other, group.scalar(0.05), group.integer(30), group.scalar(0.03), group.integer(99), group.scalar(0.1), group.integer(-7)},
        {{"function", std::string("add")}, {"lo", std::int64_t{-128}}, {"hi", std::int64_t{127}}});
  });
}

TEST_CASE("matrix products of activations: enough work for several threads, by rows and by matrices") {
  for (const std::int64_t batches : {1, 7}) {
    for_seeds(2, [&](Random& random, NodeGroup& group) {
      const bool ta = random.coin();
      const bool tb = random.coin();
      const std::int64_t m = 210 / batches;
      product(random, group,
              {ta ? ir::Shape{batches, 190, m} : ir::Shape{batches, m, 190},
               tb ? ir::Shape{batches, 330, 190} : ir::Shape{batches, 190, 330},
               {batches, m, 330},
               ta,
               tb});
    });
  }
}
