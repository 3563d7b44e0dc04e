#include <algorithm>
#include <stdexcept>

#include "ir/random.h"
#include "tests/ops/case_lists.h"

namespace stair::tests {
namespace {

class Source {
 public:
  Source(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(ir::random_bits(seed_, stream_, 0, index_++) % static_cast<std::uint64_t>(high - low + 1));
  }
  bool coin() { return between(0, 1) == 1; }

 private:
  std::uint64_t seed_, stream_, index_ = 0;
};

Case convolution(Source& source, bool integers) {
  const std::int64_t groups = source.between(1, 3);
  const std::int64_t inputs = source.between(1, 4);  // a group
  const ir::Shape w{groups * source.between(1, 4), inputs, source.between(1, 4), source.between(1, 4)};
  const ir::Shape dilation{source.between(1, 2), source.between(1, 2)};
  const ir::Shape padding{source.between(0, 3), source.between(0, 3), source.between(0, 3), source.between(0, 3)};
  const ir::Shape stride{source.between(1, 3), source.between(1, 3)};
  const auto size = [&](std::size_t axis) {
    const std::int64_t window = dilation[axis] * (w[axis + 2] - 1) + 1;
    return source.between(std::max<std::int64_t>(1, window - padding[axis] - padding[axis + 2]), 12);
  };
  const ir::Shape x{source.between(1, 3), groups * inputs, size(0), size(1)};
  const ir::Attributes attributes{{"stride", stride}, {"padding", padding}, {"dilation", dilation}, {"groups", groups}};
  if (!integers) {
    if (source.coin()) return {"conv2d", {f32(x), f32(w)}, attributes};
    return {"conv2d", {f32(x), f32(w), f32({w[0]})}, attributes};
  }
  const auto zero = [&](std::int64_t lo, std::int64_t hi) { return i32({1}, listed({static_cast<double>(source.between(lo, hi))})); };
  if (source.coin()) return {"conv2d_integer", {s8(x), s8(w), zero(-128, 127)}, attributes};
  return {"conv2d_integer", {u8(x, extremes(0, 255)), s8(w, extremes(-127, 127)), zero(0, 255)}, attributes};
}

Case product(Source& source, bool integers) {
  const std::int64_t most = integers ? 3 : 1;  // several panels and tiles
  const std::int64_t m = source.between(1, 20 * most);
  const std::int64_t k = source.between(1, 40 * most);
  const std::int64_t n = source.between(1, 20 * most);
  const bool ta = source.coin();
  const bool tb = source.coin();
  ir::Shape a;
  ir::Shape b;
  const std::int64_t rank = source.between(0, 2);
  for (std::int64_t i = 0; i < rank; ++i) {
    const std::int64_t size = source.between(1, 3);
    a.push_back(source.coin() ? size : 1);
    b.push_back(a.back() == size && source.coin() ? 1 : size);
  }
  if (source.coin()) b.clear();
  a.insert(a.end(), {ta ? k : m, ta ? m : k});
  b.insert(b.end(), {tb ? n : k, tb ? k : n});
  const ir::Attributes attributes{{"transpose_a", ta}, {"transpose_b", tb}};
  if (!integers) return {"matmul", {f32(a), f32(b)}, attributes};
  const bool a_signed = source.coin();
  const bool b_signed = source.coin();
  const bool extreme = source.between(0, 2) == 0;
  const auto operand = [&](const ir::Shape& shape, bool is_signed) {
    if (is_signed) return extreme ? s8(shape, extremes(-128, 127)) : s8(shape, tests::integers(-128, 127));
    return extreme ? u8(shape, extremes(0, 255)) : u8(shape);
  };
  const auto zero = [&](bool is_signed) {
    const std::int64_t lo = is_signed ? -128 : 0;
    const double value = static_cast<double>(extreme ? lo + 255 * source.between(0, 1) : source.between(lo, lo + 255));
    return i32({1}, listed({value}));
  };
  return {"matmul_integer", {operand(a, a_signed), operand(b, b_signed), zero(a_signed), zero(b_signed)}, attributes};
}

Case linear(Source& source) {
  ir::Shape x;
  const std::int64_t rank = source.between(0, 2);
  for (std::int64_t i = 0; i < rank; ++i) x.push_back(source.between(1, 7));
  x.push_back(source.between(1, 70));
  const std::int64_t outputs = source.between(1, 30);
  if (source.coin()) return {"linear", {f32(x), f32({outputs, x.back()})}};
  return {"linear", {f32(x), f32({outputs, x.back()}), f32({outputs})}};
}

Case pool(Source& source, const std::string& op) {
  const ir::Shape kernel{source.between(1, 4), source.between(1, 4)};
  const auto pad = [&](std::size_t axis) { return source.between(0, kernel[axis] - 1); };
  const ir::Shape padding{pad(0), pad(1), pad(0), pad(1)};
  const auto size = [&](std::size_t axis) {
    return source.between(std::max<std::int64_t>(1, kernel[axis] - padding[axis] - padding[axis + 2]), 11);
  };
  const ir::Shape x{source.between(1, 3), source.between(1, 5), size(0), size(1)};
  ir::Attributes attributes{{"kernel", kernel}, {"padding", padding}};
  if (source.coin()) attributes.set("stride", ir::Shape{source.between(1, 3), source.between(1, 3)});
  if (op == "max_pool" && source.coin()) return {op, {s8(x)}, attributes};
  return {op, {f32(x)}, attributes};
}

}  // namespace

std::vector<Case> random_cases(const std::string& op, std::uint64_t seed, int count) {
  std::vector<Case> list;
  for (int i = 0; i < count; ++i) {
    Source source(seed, static_cast<std::uint64_t>(i));
    if (op == "conv2d" || op == "conv2d_integer") {
      list.push_back(convolution(source, op == "conv2d_integer"));
    } else if (op == "linear") {
      list.push_back(linear(source));
    } else if (op == "matmul" || op == "matmul_integer") {
      list.push_back(product(source, op == "matmul_integer"));
    } else if (op == "max_pool" || op == "avg_pool") {
      list.push_back(pool(source, op));
    } else {
      throw std::logic_error("no random cases of " + op);
    }
  }
  return list;
}

}  // namespace stair::tests
