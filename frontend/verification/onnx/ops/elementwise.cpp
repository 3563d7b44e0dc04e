#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <utility>

#include "frontend/verification/onnx/operator.h"

// Element by element: integers as their type wraps them, real numbers rounded after each operation.

namespace stair::verification::onnx::ops {
namespace {

using frontend::onnx::broadcast_index;
using frontend::onnx::broadcast_shape;

std::uint64_t bits(std::int64_t x) {
  return static_cast<std::uint64_t>(x);
}
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(bits(a) + bits(b));
}
std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(bits(a) - bits(b));
}
std::int64_t product(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(bits(a) * bits(b));
}
std::int64_t quotient(std::int64_t a, std::int64_t b) {
  return b == -1 ? difference(0, a) : a / b;  // cut off toward 0
}
std::int64_t remainder_of(std::int64_t a, std::int64_t b) {
  if (b == -1) return 0;
  const std::int64_t rest = a % b;  // with the sign of the divisor
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

struct Function {
  std::int64_t (*of_integers)(std::int64_t, std::int64_t) = nullptr;
  double (*of_reals)(double, double) = nullptr;
  bool divides = false;
  bool compares = false;
};

Value both(const NodeRun& run, const Function& function, const Value& a, const Value& b) {
  run.expect(a.type == b.type || (a.is_real() && b.is_real()), "its operands are of two types");
  run.expect(a.is_real() ? function.of_reals != nullptr : function.of_integers != nullptr,
             fmt::format("it isn't defined of {}", frontend::onnx::to_string(a.type)));
  Value y = made(function.compares ? ElementType::boolean : a.type, broadcast_shape(a.shape, b.shape));
  const bool same = a.shape == b.shape;
  for (std::int64_t i = 0; i < ir::element_count(y.shape); ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t of_a = same ? i : broadcast_index(a.shape, y.shape, i);
    const std::int64_t of_b = same ? i : broadcast_index(b.shape, y.shape, i);
    if (a.is_real()) {
      const double result = function.of_reals(a.number(of_a), b.number(of_b));
      function.compares ? void(y.integers[at] = result != 0) : void(y.reals[at] = rounded(a.type, result));
      continue;
    }
    const std::int64_t x = a.integers[static_cast<std::size_t>(of_a)];
    const std::int64_t with = b.integers[static_cast<std::size_t>(of_b)];
    run.expect(!function.divides || with != 0, "it divides by 0");
    y.integers[at] = wrapped(y.type, function.of_integers(x, with));
  }
  return y;
}

// Bias and multiplier of a sum, where they are constants behind it.
void keep_constant(NodeRun& run, Value& y) {
  for (std::size_t i = 0; run.count() == 2 && i < 2; ++i) {
    const Value& sum = run.in(i);
    const Value& constant = run.in(1 - i);
    const auto kept = run.sums.find(sum.sum);
    if (kept == run.sums.end() || !constant.constant) continue;
    y.sum = sum.sum;
    if (run.node.op == "Add" && !kept->second.bias) kept->second.bias = as_numbers(constant);
    if (run.node.op != "Mul" || !kept->second.multiplier.empty()) continue;
    for (std::int64_t c = 0; c < constant.count(); ++c) kept->second.multiplier.push_back(static_cast<float>(constant.number(c)));
  }
}

// The results of doubles are those of floats once they are rounded, of each of these operations.
Operator of_two(const std::string& name, Function function) {
  return {name, [function](NodeRun& run) {
            Value y = run.in(0);
            if (run.count() == 1) y = as_numbers(y);
            run.integer("fmod", 0);
            for (std::size_t i = 1; i < run.count(); ++i) y = both(run, function, y, run.in(i));
            keep_constant(run, y);
            run.yield(std::move(y));
            return true;
          }};
}

// Of real numbers that are left out, the layers say it.
Operator of_one(const std::string& name, std::int64_t (*of_integer)(std::int64_t), double (*of_real)(double)) {
  return {name, [=](NodeRun& run) {
            const Value& x = run.in(0);
            if (x.is_real() ? of_real == nullptr : of_integer == nullptr) return false;
            Value y = as_numbers(x);
            for (double& number : y.reals) number = rounded(y.type, of_real(number));
            for (std::int64_t& q : y.integers) q = wrapped(y.type, of_integer(q));
            run.yield(std::move(y));
            return true;
          }};
}

bool run_cast(NodeRun& run) {
  const Value& x = run.in(0);
  const auto to = static_cast<ElementType>(run.integer("to", 0));
  run.integer("saturate", 1);
  Value y = made(to, x.shape);
  if (to == ElementType::f32) y.sum = x.sum;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (y.is_real()) {
      // From an integer at once: through a double a float might be rounded twice.
      y.reals[at] =
          x.is_real() || to == ElementType::f64 ? rounded(to, x.number(i)) : static_cast<double>(static_cast<float>(x.integers[at]));
      continue;
    }
    if (!x.is_real()) {
      y.integers[at] = wrapped(to, x.integers[at]);
      continue;
    }
    const double number = x.number(i);
    run.expect(std::abs(number) < 0x1p63, fmt::format("it makes an integer of {}", number));
    y.integers[at] = wrapped(to, static_cast<std::int64_t>(number));
  }
  run.yield(std::move(y));
  return true;
}

bool run_clip(NodeRun& run) {
  Value y = as_numbers(run.in(0));
  const bool listed = run.opset >= 11;
  const auto end = [&](std::size_t i, const char* name, double without) {
    if (!listed) return run.real(name, without);
    return run.has(i) && run.in(i).count() == 1 ? run.in(i).number(0) : without;
  };
  if (!y.is_real()) {
    const Limits limits = limits_of(y.type);
    const std::int64_t lo = run.has(1) ? run.integer(1) : limits.lo;
    const std::int64_t hi = run.has(2) ? run.integer(2) : limits.hi;
    for (std::int64_t& q : y.integers) q = std::min(std::max(q, lo), hi);
  } else {
    const double lo = end(1, "min", -std::numeric_limits<double>::infinity());
    const double hi = end(2, "max", std::numeric_limits<double>::infinity());
    for (double& number : y.reals) number = std::min(std::max(number, lo), hi);
  }
  run.yield(std::move(y));
  return true;
}

// Of sums that are dequantized, on their integers: the quantizer behind it clamps the same.
bool run_relu(NodeRun& run) {
  Value y = run.in(0);
  for (double& number : y.reals) number = std::max(number, 0.0);
  for (std::int64_t& q : y.integers) q = std::max<std::int64_t>(q, 0);
  run.yield(std::move(y));
  return true;
}

}  // namespace

void elementwise(OperatorRegistry& registry) {
  registry.add(of_two("Add", {sum, [](double a, double b) { return a + b; }}));
  registry.add(of_two("Sum", {sum, [](double a, double b) { return a + b; }}));
  registry.add(of_two("Sub", {difference, [](double a, double b) { return a - b; }}));
  registry.add(of_two("Mul", {product, [](double a, double b) { return a * b; }}));
  registry.add(of_two("Div", {quotient, [](double a, double b) { return a / b; }, true}));
  registry.add(of_two("Mod", {remainder_of, nullptr, true}));
  registry.add(
      of_two("Min", {[](std::int64_t a, std::int64_t b) { return std::min(a, b); }, [](double a, double b) { return std::min(a, b); }}));
  registry.add(
      of_two("Max", {[](std::int64_t a, std::int64_t b) { return std::max(a, b); }, [](double a, double b) { return std::max(a, b); }}));
  registry.add(of_two("Less", {[](std::int64_t a, std::int64_t b) -> std::int64_t { return a < b; },
                               [](double a, double b) -> double { return a < b; }, false, true}));
  registry.add(of_two("LessOrEqual", {[](std::int64_t a, std::int64_t b) -> std::int64_t { return a <= b; },
                                      [](double a, double b) -> double { return a <= b; }, false, true}));
  registry.add(of_two("Greater", {[](std::int64_t a, std::int64_t b) -> std::int64_t { return a > b; },
                                  [](double a, double b) -> double { return a > b; }, false, true}));
  registry.add(of_two("GreaterOrEqual", {[](std::int64_t a, std::int64_t b) -> std::int64_t { return a >= b; },
                                         [](double a, double b) -> double { return a >= b; }, false, true}));
  registry.add(of_one(
      "Abs", [](std::int64_t q) { return q < 0 ? difference(0, q) : q; }, [](double x) { return std::abs(x); }));
  registry.add(of_one(
      "Neg", [](std::int64_t q) { return difference(0, q); }, [](double x) { return -x; }));
  registry.add(of_one(
      "Sign", [](std::int64_t q) -> std::int64_t { return (q > 0) - (q < 0); }, [](double x) -> double { return (x > 0) - (x < 0); }));
  registry.add(of_one("Sqrt", nullptr, [](double x) { return std::sqrt(x); }));
  registry.add(of_one("Round", nullptr, [](double x) { return std::nearbyint(x); }));
  registry.add(of_one("Floor", nullptr, [](double x) { return std::floor(x); }));
  registry.add(of_one("Ceil", nullptr, [](double x) { return std::ceil(x); }));
  registry.add({"Cast", run_cast});
  registry.add({"Clip", run_clip});
  registry.add({"Relu", run_relu});
}

}  // namespace stair::verification::onnx::ops
