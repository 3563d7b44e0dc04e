#include <cmath>
#include <utility>

#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

// The ways to fill an integer product: any numbers, signed ones, and the largest sums of either sign.
void add_fills(std::vector<Case>& list, const std::string& op, const ir::Shape& x, const ir::Shape& w, const ir::Attributes& attributes) {
  list.push_back({op, {u8(x), s8(w), i32({1}, listed({37}))}, attributes});
  list.push_back({op, {s8(x), s8(w), i32({1}, listed({0}))}, attributes});
  list.push_back({op, {u8(x, listed({255})), s8(w, listed({-127})), i32({1}, listed({0}))}, attributes});
  list.push_back({op, {u8(x, listed({255})), s8(w, listed({127})), i32({1}, listed({0}))}, attributes});
  list.push_back({op, {u8(x, extremes(0, 255)), s8(w, extremes(-128, 127)), i32({1}, listed({255}))}, attributes});
  list.push_back({op, {s8(x, extremes(-127, 127)), s8(w, extremes(-1, 1)), i32({1}, listed({0}))}, attributes});
}

ir::Attributes window(ir::Shape stride, ir::Shape padding, ir::Shape dilation, std::int64_t groups) {
  return {{"stride", std::move(stride)}, {"padding", std::move(padding)}, {"dilation", std::move(dilation)}, {"groups", groups}};
}

void add_integer_product(std::vector<Case>& list, const ir::Shape& a, const ir::Shape& b, bool ta, bool tb) {
  const ir::Attributes attributes{{"transpose_a", ta}, {"transpose_b", tb}};
  const Operand za = i32({1}, listed({12}));
  const Operand zb = i32({1}, listed({-3}));
  list.push_back({"matmul_integer", {u8(a), s8(b), za, zb}, attributes});
  list.push_back({"matmul_integer", {s8(a), u8(b), zb, za}, attributes});
  list.push_back({"matmul_integer", {u8(a, extremes(0, 255)), u8(b, extremes(0, 255)), za, i32({1}, listed({255}))}, attributes});
}

// T of N-SOFTMAX for that scale, and another table of such numbers.
std::vector<Draw> softmax_tables(double scale) {
  std::vector<double> entries;
  for (int d = 0; d < 256; ++d) entries.push_back(std::nearbyint(std::exp(-d * scale) * 0x1p24));
  return {listed(entries), integers(0, 0x1p24)};
}

void add_softmax(std::vector<Case>& list, const Operand& q, std::int64_t axis) {
  for (const double scale : {0.02, 0.3}) {
    for (const Draw& table : softmax_tables(scale)) {
      const Operand entries = i32({256}, table);
      const auto one = [](double value) { return i32({1}, listed({value})); };
      // 1 / s_y of 1 / 255, 1 / 20 (which saturates) and 4.
      list.push_back({"softmax_integer", {q, entries, one(2139095040), one(8), one(0)}, range(0, 255, axis)});
      list.push_back({"softmax_integer", {q, entries, one(1342177280), one(5), one(-7)}, range(-7, 7, axis)});
      list.push_back({"softmax_integer", {q, entries, one(1073741824), one(-1), one(3)}, range(0, 15, axis)});
      list.push_back({"softmax_integer", {q, entries, one(2147483647), one(30), one(0)}, range(0, 255, axis)});
      list.push_back({"softmax_integer", {q, entries, one(2147483647), one(-31), one(0)}, range(0, 255, axis)});
    }
  }
}

void add_row_norm_integer(std::vector<Case>& list, const std::string& op, const ir::Shape& x, const ir::Shape& parameters,
                          ir::Attributes attributes) {
  const auto one = [](double value) { return i32({1}, listed({value})); };
  const Draw steps = integers(-40000, 40000);
  for (const Operand& q : {u8(x), s8(x, integers(-128, 127)), u8(x, extremes(0, 255)), u8(x, listed({255})), u8(x, integers(7, 8))}) {
    attributes.set("lo", integer(0));
    attributes.set("hi", integer(255));
    list.push_back({op, {q, i32(parameters, steps), i32(parameters, steps), one(10), one(1200000000), one(14), one(120)}, attributes});
    attributes.set("lo", integer(-128));
    attributes.set("hi", integer(127));
    const Draw wide = integers(-0x1p30, 0x1p30);
    list.push_back({op, {q, i32(parameters, wide), i32(parameters, wide), one(30), one(0), one(0), one(0)}, attributes});
    list.push_back({op, {q, i32(parameters, wide), i32(parameters, wide), one(0), one(2147483647), one(30), one(-128)}, attributes});
    list.push_back({op, {q, i32(parameters, steps), i32(parameters, steps), one(8), one(1073741824), one(-31), one(5)}, attributes});
  }
}

}  // namespace

void add_integer_cases(std::vector<Case>& list) {
  add_fills(list, "conv2d_integer", {1, 1, 1, 1}, {1, 1, 1, 1}, {});
  add_fills(list, "conv2d_integer", {2, 3, 5, 7}, {4, 3, 3, 3}, window({1, 1}, {1, 1, 1, 1}, {1, 1}, 1));
  add_fills(list, "conv2d_integer", {2, 2, 9, 8}, {3, 2, 3, 2}, window({2, 3}, {0, 1, 2, 1}, {2, 1}, 1));
  add_fills(list, "conv2d_integer", {2, 4, 5, 5}, {6, 2, 3, 3}, window({1, 1}, {2, 0, 1, 3}, {1, 2}, 2));
  add_fills(list, "conv2d_integer", {2, 5, 6, 5}, {5, 1, 3, 3}, window({2, 2}, {1, 1, 0, 0}, {1, 1}, 5));
  add_fills(list, "conv2d_integer", {3, 5, 3, 4}, {2, 5, 1, 1}, window({1, 1}, {0, 0, 0, 0}, {1, 1}, 1));
  add_fills(list, "conv2d_integer", {1, 71, 5, 5}, {9, 71, 3, 3}, window({1, 1}, {1, 1, 1, 1}, {1, 1}, 1));  // sums beyond 2^24

  add_fills(list, "conv_transpose2d_integer", {1, 1, 1, 1}, {1, 1, 1, 1}, {});
  add_fills(list, "conv_transpose2d_integer", {2, 2, 5, 4}, {3, 2, 3, 4}, window({2, 3}, {1, 2, 0, 1}, {1, 1}, 1));
  add_fills(list, "conv_transpose2d_integer", {2, 4, 3, 4}, {6, 2, 2, 3}, window({3, 1}, {0, 0, 0, 0}, {1, 2}, 2));
  add_fills(list, "conv_transpose2d_integer", {1, 71, 5, 5}, {9, 71, 3, 3}, window({1, 1}, {1, 1, 1, 1}, {1, 1}, 1));

  add_fills(list, "linear_integer", {1, 1}, {1, 1}, {});
  add_fills(list, "linear_integer", {5, 7}, {3, 7}, {});
  add_fills(list, "linear_integer", {2, 3, 33}, {5, 33}, {});
  add_fills(list, "linear_integer", {6}, {4, 6}, {});
  add_fills(list, "linear_integer", {17, 518}, {19, 518}, {});    // the last k within 2^24 (N-F32GEMM)
  add_fills(list, "linear_integer", {7, 1153}, {9, 1153}, {});    // beyond it
  add_fills(list, "linear_integer", {2, 65536}, {2, 65536}, {});  // 2^31 less a little

  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      add_integer_product(list, ta ? ir::Shape{7, 3} : ir::Shape{3, 7}, tb ? ir::Shape{5, 7} : ir::Shape{7, 5}, ta, tb);
      add_integer_product(list, ta ? ir::Shape{2, 1, 7, 3} : ir::Shape{2, 1, 3, 7}, tb ? ir::Shape{3, 5, 7} : ir::Shape{3, 7, 5}, ta, tb);
      add_integer_product(list, ta ? ir::Shape{600, 9} : ir::Shape{9, 600}, tb ? ir::Shape{11, 600} : ir::Shape{600, 11}, ta, tb);
    }
  }

  for (const Operand& x : {u8({2, 3, 7, 5}), s8({2, 3, 7, 5}), u8({2, 3, 7, 5}, listed({255}))}) {
    const Operand zero = i32({1}, listed({x.type.dtype == ir::DType::u8 ? 100.0 : -5.0}));
    list.push_back({"avg_pool_integer", {x, zero}, {{"kernel", ir::Shape{2, 3}}}});
    list.push_back(
        {"avg_pool_integer", {x, zero}, {{"kernel", ir::Shape{3, 3}}, {"stride", ir::Shape{2, 1}}, {"padding", ir::Shape{1, 2, 0, 1}}}});
    list.push_back({"avg_pool_integer", {x, zero}, {{"kernel", ir::Shape{7, 5}}}});
    list.push_back({"max_pool_integer", {x}, {{"kernel", ir::Shape{2, 2}}}});
    list.push_back(
        {"max_pool_integer", {x}, {{"kernel", ir::Shape{3, 3}}, {"stride", ir::Shape{2, 1}}, {"padding", ir::Shape{1, 2, 0, 1}}}});
    list.push_back({"avg_pool_integer", {x, zero}, {{"kernel", ir::Shape{2, 2}}, {"layout", std::string("nhwc")}}});
    list.push_back({"max_pool_integer", {x}, {{"kernel", ir::Shape{2, 2}}, {"layout", std::string("nhwc")}}});
    list.push_back({"reduce_sum_integer", {x, zero}, {{"axes", ir::Shape{1, 2}}}});
    list.push_back({"reduce_sum_integer", {x, zero}, {{"axes", ir::Shape{2, 3}}}});
    list.push_back({"reduce_sum_integer", {x, zero}, {{"axes", ir::Shape{1, -1}}, {"keep", true}}});
    list.push_back({"reduce_sum_integer", {x, zero}, {{"axes", ir::Shape{0, 1, 2, 3}}}});
    list.push_back({"pad_integer", {x, zero}, {{"padding", ir::Shape{0, 0, 1, 2, 0, 1, 2, 0}}}});
  }

  for (const Operand& q : {u8({5, 17}), s8({5, 17}, extremes(-128, 127)), u8({5, 17}, listed({9}))}) add_softmax(list, q, -1);
  add_softmax(list, u8({2, 3, 4, 5}, integers(100, 140)), 1);
  add_softmax(list, s8({3, 40, 200}), 1);  // pieces of several threads
  add_row_norm_integer(list, "layer_norm_integer", {4, 7}, {7}, {});
  add_row_norm_integer(list, "layer_norm_integer", {2, 3, 5}, {3, 5}, {{"axis", integer(1)}});
  add_row_norm_integer(list, "layer_norm_integer", {3, 1}, {1}, {});
  add_row_norm_integer(list, "layer_norm_integer", {37, 512}, {512}, {});
  add_row_norm_integer(list, "group_norm_integer", {2, 6}, {6}, {{"groups", integer(2)}});
  add_row_norm_integer(list, "group_norm_integer", {2, 6, 3, 4}, {6}, {{"groups", integer(6)}});
  add_row_norm_integer(list, "group_norm_integer", {3, 8, 29, 31}, {8}, {{"groups", integer(4)}});

  list.push_back({"lookup", {u8({3, 129}), s8({256})}});
  list.push_back({"lookup", {s8({3, 129}, integers(-128, 127)), u8({256})}});
  list.push_back({"lookup", {u8({2, 8, 33, 33}), u8({256})}});
  list.push_back({"lookup", {s8({255}, integers(-128, 127)), s8({256})}});
  list.push_back({"lookup", {u8({1, 4, 200, 201}), u8({256})}});  // pieces of several threads
}

}  // namespace stair::tests
