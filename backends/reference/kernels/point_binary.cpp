#include <algorithm>

#include "backends/reference/kernel.h"
#include "ir/broadcast.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// Calls body(a, b) on each pair of integers and stores what it yields.
template <class Body>
void for_pairs(const Arguments& arguments, Body&& body) {
  for_quantized(arguments.operands[0].type.dtype, [&]<class A>() {
    for_quantized(arguments.operands[1].type.dtype, [&]<class B>() {
      for_quantized(arguments.results[0].type.dtype, [&]<class Y>() {
        const A* a = arguments.operands[0].as<A>();
        const B* b = arguments.operands[1].as<B>();
        Y* y = arguments.results[0].as<Y>();
        ir::for_each_broadcast(arguments.operands[0].type.shape, arguments.operands[1].type.shape, arguments.results[0].type.shape,
                               [&](std::int64_t ia, std::int64_t ib, std::int64_t i) { y[i] = static_cast<Y>(body(a[ia], b[ib])); });
      });
    });
  });
}

std::int32_t scalar(const Arguments& a, std::size_t operand) {
  return *a.operands[operand].as<std::int32_t>();
}

// N-POINT
void run_point_binary(const ir::Node& node, const Arguments& a) {
  const std::string& function = node.attributes.text("function");
  const float sa = *a.operands[2].as<float>();
  const float sb = *a.operands[4].as<float>();
  const float sy = *a.operands[6].as<float>();
  const std::int32_t za = scalar(a, 3);
  const std::int32_t zb = scalar(a, 5);
  const std::int32_t zy = scalar(a, 7);
  const ir::Range range = range_of(node, a, 8);
  const auto apply = [&](auto&& op) {
    for_pairs(a, [&](std::int32_t x, std::int32_t y) {
      return ir::quantize(op(ir::dequantize(x, sa, za), ir::dequantize(y, sb, zb)), sy, zy, range);
    });
  };
  if (function == "add") return apply([](float x, float y) { return x + y; });
  if (function == "sub") return apply([](float x, float y) { return x - y; });
  apply([](float x, float y) { return x * y; });
}

ir::FixedMultiplier multiplier(const Arguments& a, std::int64_t i) {
  return {a.operands[4].as<std::int32_t>()[i], a.operands[5].as<std::int32_t>()[i]};
}

// N-REQ-FIXED, as TFLite's reference addition
void run_add_fixed(const ir::Node& node, const Arguments& a) {
  constexpr std::int32_t left = 1 << 20;
  const std::int32_t za = scalar(a, 2);
  const std::int32_t zb = scalar(a, 3);
  const std::int32_t zy = scalar(a, 6);
  const ir::Range range = range_of(node, a, 7);
  const bool subtract = node.attributes.boolean("subtract");
  const ir::FixedMultiplier ma = multiplier(a, 0);
  const ir::FixedMultiplier mb = multiplier(a, 1);
  const ir::FixedMultiplier my = multiplier(a, 2);
  for_pairs(a, [&](std::int32_t x, std::int32_t y) {
    const std::int32_t own = ir::multiply_by_fixed((x - za) * left, ma);
    const std::int32_t other = ir::multiply_by_fixed((y - zb) * left, mb);
    const std::int32_t sum = ir::wrapping_add(own, subtract ? ir::wrapping_add(~other, 1) : other);
    return std::clamp<std::int64_t>(std::int64_t{ir::multiply_by_fixed(sum, my)} + zy, range.lo, range.hi);
  });
}

// N-REQ-FIXED, as TFLite's reference multiplication
void run_mul_fixed(const ir::Node& node, const Arguments& a) {
  const std::int32_t za = scalar(a, 2);
  const std::int32_t zb = scalar(a, 3);
  const std::int32_t zy = scalar(a, 6);
  const ir::Range range = range_of(node, a, 7);
  const ir::FixedMultiplier m = multiplier(a, 0);
  for_pairs(a, [&](std::int32_t x, std::int32_t y) {
    return std::clamp<std::int64_t>(std::int64_t{ir::multiply_by_fixed((x - za) * (y - zb), m)} + zy, range.lo, range.hi);
  });
}

}  // namespace

void point_binary(FunctionKernels& kernels) {
  kernels.add("point_binary", {run_point_binary});
  kernels.add("add_fixed", {run_add_fixed});
  kernels.add("mul_fixed", {run_mul_fixed});
}

}  // namespace stair::backends::reference
