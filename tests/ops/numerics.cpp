// Worked examples of the clauses of docs/numerics.md, each computed by hand, on the reference kernels.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "ir/channel_fit.h"
#include "ir/integer_rows.h"
#include "ir/random.h"
#include "tests/ops/case_lists.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

constexpr double half = 1073741824;  // the mantissa 2^30: 0.5 * 2^shift

std::int64_t length(const Values& values) {
  return static_cast<std::int64_t>(values.size());
}
Operand ints(const Values& values) {
  return i32({length(values)}, listed(values));
}
Operand sums(const Values& values) {
  return i32({1, length(values)}, listed(values));
}

Values quantized(const Values& x, double scale, double zero_point, std::int64_t lo, std::int64_t hi) {
  return run_reference({"quantize", {reals(x), reals({scale}), ints({zero_point})}, range(lo, hi)})[0];
}

Values requantized(const Values& acc, double multiplier, double zero_point) {
  return run_reference({"requantize", {sums(acc), reals({multiplier}), ints({zero_point})}, range(-127, 127)})[0];
}

Values requantized_fixed(const Values& acc, double mantissa, double shift, double zero_point = 0) {
  return run_reference({"requantize_fixed", {sums(acc), ints({mantissa}), ints({shift}), ints({zero_point})}, range(-127, 127)})[0];
}

}  // namespace

TEST_CASE("N-SOFTMAX sums a table of integers, and divides once a row") {
  // s_x = ln 2: T[d] = 2^(24 - d). Shares of 2/3 and 1/3 in steps of 1/255.
  const auto parameters = run_reference({"softmax_parameters", {reals({std::log(2.0)}), reals({0.0078125})}});
  CHECK(parameters[0][0] == 16777216);
  CHECK(parameters[0][1] == 8388608);
  CHECK(parameters[0][3] == 2097152);
  CHECK(parameters[0][255] == 0);
  CHECK(parameters[1][0] == half);  // 128 = 0.5 * 2^8
  CHECK(parameters[2][0] == 8);
  const auto of = [&](const Values& q, double mantissa, double shift, double zero_point) {
    return run_reference({"softmax_integer",
                          {u8({1, length(q)}, listed(q)), ints(parameters[0]), ints({mantissa}), ints({shift}), ints({zero_point})},
                          range(0, 255)})[0];
  };
  CHECK(of({10, 9}, 2139095040, 8, 0) == Values{170, 85});
  CHECK(of({10, 9}, 2139095040, 8, 100) == Values{255, 185});
  CHECK(of({10}, 2139095040, 8, 0) == Values{255});
  CHECK(of({7, 7, 7, 7}, 2139095040, 8, 0) == Values{64, 64, 64, 64});  // 63.75
  CHECK(of({7, 7}, half, 1, 0) == Values{1, 1});                        // 1/2 of a step is rounded up
  CHECK(of({7, 7}, half, 0, 0) == Values{0, 0});                        // 1/4
  CHECK(of({7}, half, 0, 0) == Values{1});                              // 1/2
  CHECK(of({7}, half, -1, 0) == Values{0});
}

TEST_CASE("N-NORM takes the root of an integer variance, and rounds halves up") {
  const auto of = [](const Values& q, const Values& g, const Values& b, double k, double mantissa, double shift, double zero_point) {
    return run_reference({"layer_norm_integer",
                          {u8({1, length(q)}, listed(q)), ints(g), ints(b), ints({k}), ints({mantissa}), ints({shift}), ints({zero_point})},
                          range(0, 255)})[0];
  };
  // n = 2, A = 4, B = 10, V = 4, D = -2, 2, a = 22; with E = 1: W = 2^46 + 1, j = 7, R = G = 2^30, t = 15, h = -2^16, 2^16.
  CHECK(of({1, 3}, {10240, 10240}, {3072, 0}, 10, 0, 0, 100) == Values{93, 110});
  CHECK(of({1, 3}, {10240, 512}, {512, 0}, 10, 0, 0, 100) == Values{91, 101});  // -9.5 and 0.5 become -9 and 1
  // E = V 4^a doubles the variance: h = ∓2^16 / sqrt(2).
  CHECK(of({1, 3}, {102400, 102400}, {0, 0}, 10, half, 16, 100) == Values{29, 171});
  CHECK(of({5, 5}, {102400, 102400}, {1024, 2048}, 10, 0, 0, 100) == Values{101, 102});  // no variance: beta
  CHECK(of({200}, {102400}, {1024}, 10, 0, 0, 100) == Values{101});

  const auto parameters = run_reference(
      {"norm_parameters", {reals({1, -0.5}), reals({0.25, 8}), reals({0.5}), reals({0.25})}, {{"eps", 0.125}, {"count", integer(2)}}});
  // 8 / 0.25 = 2^5: k = 25. eps (2 * 2^22 / 0.5)^2 2^-31 = 2^-3 2^48 2^-31 = 2^14 = 0.5 * 2^15.
  CHECK(parameters[0] == Values{134217728, -67108864});
  CHECK(parameters[1] == Values{33554432, 1073741824});
  CHECK(parameters[2] == Values{25});
  CHECK(parameters[3] == Values{half});
  CHECK(parameters[4] == Values{15});
}

TEST_CASE("N-NORM: what a row shares stays within the bounds that the clause proves") {
  for (const std::int64_t n : {2, 3, 1000, 8388607, 8388608}) {
    for (const std::int32_t base : {-128, 0}) {
      for (const std::int64_t high : {std::int64_t{1}, n / 2, n - 1}) {  // so many elements 255 above the others
        for (const ir::FixedMultiplier epsilon : {ir::FixedMultiplier{0, 0}, {1073741824, -31}, {1200000000, 14}, {2147483647, 30}}) {
          const std::int64_t most = base + 255;
          const ir::NormRow row(n, base * (n - high) + most * high, std::int64_t{base} * base * (n - high) + most * most * high, epsilon);
          CHECK(row.factor > 0);
          CHECK(row.factor <= std::int64_t{1} << 30);
          CHECK(row.shift >= 14);
          CHECK(row.shift <= 44);
          const auto of = [&](std::int64_t q) { return static_cast<double>(row.normalized(static_cast<std::int32_t>(q))); };
          CHECK(std::max(-of(base), of(most)) < 0x1p28);
          // sqrt((n - high) / high) deviations above the mean, less what eps takes.
          CHECK(of(most) <= std::sqrt(static_cast<double>(n - high) / static_cast<double>(high)) * 65536 * (1 + 0x1p-28) + 0.5);
        }
      }
    }
  }
}

TEST_CASE("N-SOFTMAX and N-NORM lie within a step of float") {
  std::uint64_t draws = 0;
  const auto draw = [&] { return static_cast<double>(ir::random_uniform(4, 1, 0, draws++)); };
  for (const std::int64_t n : {2, 7, 64, 300, 5000}) {
    for (const double x_scale : {0.002, 0.05, 0.3}) {
      CAPTURE(n);
      CAPTURE(x_scale);
      Values q;
      for (std::int64_t i = 0; i < n; ++i) q.push_back(std::floor(256 * draw()));
      const auto as_float = static_cast<double>(static_cast<float>(x_scale));
      const double most = *std::max_element(q.begin(), q.end());
      double total = 0;
      for (const double at : q) total += std::exp((at - most) * as_float);
      for (const double y_scale : {1.0 / 255, 1 / total / 255}) {
        const auto parameters = run_reference({"softmax_parameters", {reals({x_scale}), reals({y_scale})}});
        const Values found =
            run_reference({"softmax_integer",
                           {u8({1, n}, listed(q)), ints(parameters[0]), ints(parameters[1]), ints(parameters[2]), ints({0})},
                           range(0, 255)})[0];
        for (std::size_t i = 0; i < q.size(); ++i) CHECK(std::abs(found[i] - std::exp((q[i] - most) * as_float) / total / y_scale) < 0.51);
      }

      Values gamma;
      Values beta;
      for (std::int64_t i = 0; i < n; ++i) {
        gamma.push_back(static_cast<double>(static_cast<float>(0.5 + draw())));
        beta.push_back(static_cast<double>(static_cast<float>(draw() - 0.5)));
      }
      double sum = 0;
      double squares = 0;
      for (const double at : q) {
        sum += at;
        squares += at * at;
      }
      const double mean = sum / static_cast<double>(n);
      const double deviation = std::sqrt(squares / static_cast<double>(n) - mean * mean + 1e-5 / (as_float * as_float));
      const auto y_scale = static_cast<double>(0.04F);
      const auto parameters = run_reference(
          {"norm_parameters", {reals(gamma), reals(beta), reals({x_scale}), reals({y_scale})}, {{"eps", 1e-5}, {"count", n}}});
      const Values found = run_reference({"layer_norm_integer",
                                          {u8({1, n}, listed(q)), ints(parameters[0]), ints(parameters[1]), ints(parameters[2]),
                                           ints(parameters[3]), ints(parameters[4]), ints({128})},
                                          range(0, 255)})[0];
      for (std::size_t i = 0; i < q.size(); ++i) {
        const double expected = ((q[i] - mean) / deviation * gamma[i] + beta[i]) / y_scale;
        CHECK(std::abs(found[i] - 128 - std::clamp(expected, -128.0, 127.0)) < 0.51);
      }
    }
  }
}

TEST_CASE("N-QUANT rounds ties to even, before the zero point is added") {
  CHECK(quantized({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 126.5}, 1, 0, -127, 127) == Values{-2, -2, 0, 0, 2, 2, 4, 126});
  CHECK(quantized({-2.5, -1.5, -0.5, 0.5, 1.5, 2.5}, 1, 3, 0, 255) == Values{1, 1, 3, 3, 5, 5});
}

TEST_CASE("N-QUANT clamps to the range, whatever the value") {
  CHECK(quantized({1e30, -1e30, infinity, -infinity, 63.5, 63.75, -64, -64.25}, 0.5, 128, 0, 255) ==
        Values{255, 0, 255, 0, 255, 255, 0, 0});
  CHECK(quantized({9, -9, 3.5, -3.5}, 1, 0, -3, 3) == Values{3, -3, 3, -3});
}

TEST_CASE("N-QUANT sends NaN to lo") {
  CHECK(quantized({nan, 1}, 1, 128, 0, 255) == Values{0, 129});
  CHECK(quantized({nan, 1}, 1, 0, -127, 127) == Values{-127, 1});
  CHECK(quantized({nan, 1}, 1, 0, -3, 3) == Values{-3, 1});
}

TEST_CASE("N-QUANT divides by the scale") {
  // In float32 the quotients by 0.3 are 2.5 and 7.4999995, the products with 1 / 0.3 are 2.5000002 and 7.5.
  CHECK(quantized({0x1.800002p-1, 2.25}, 0.3, 0, 0, 255) == Values{2, 7});
}

TEST_CASE("N-QUANT takes the scale of the channel") {
  const Operand x = f32({2, 2}, listed({3, 5}));
  const auto along = [&](std::int64_t axis) {
    return run_reference({"quantize", {x, reals({1, 2}), ints({0})}, {{"lo", integer(0)}, {"hi", integer(15)}, {"axis", axis}}})[0];
  };
  CHECK(along(0) == Values{3, 5, 2, 2});
  CHECK(along(1) == Values{3, 2, 3, 2});
  CHECK(along(-1) == Values{3, 2, 3, 2});
}

TEST_CASE("N-DEQUANT is the distance from the zero point times the scale, and N-FAKE is N-QUANT and N-DEQUANT") {
  CHECK(run_reference({"dequantize", {u8({3}, listed({0, 100, 255})), reals({0.5}), ints({100})}})[0] == Values{-50, 0, 77.5});
  CHECK(run_reference({"fake_quantize", {reals({-9, 0.25, 0.75, 1.25, 9, nan}), reals({0.5}), ints({4})}, range(0, 15)})[0] ==
        Values{-2, 0, 1, 1, 5.5, -2});
}

TEST_CASE("N-PARAM derives scale and zero point from a range that holds 0") {
  const auto affine = [](double low, double high, bool power_of_two = false) {
    const auto results = run_reference(
        {"affine_parameters", {reals({low}), reals({high})}, {{"lo", integer(0)}, {"hi", integer(255)}, {"power_of_two", power_of_two}}});
    return std::pair{results[0][0], results[1][0]};
  };
  CHECK(affine(-127.5, 127.5) == std::pair{1.0, 128.0});  // 127.5 is a tie
  CHECK(affine(-31.875, 95.625) == std::pair{0.5, 64.0});
  CHECK(affine(64, 127.5) == std::pair{0.5, 0.0});
  CHECK(affine(-127.5, -64) == std::pair{0.5, 255.0});
  CHECK(affine(0, 0) == std::pair{1.0, 0.0});
  CHECK(affine(-1e-40, 1e-40).first == 1.0);
  CHECK(affine(-3e38, 3e38).first > 1e36);
  CHECK(affine(-3e38, 3e38).first < infinity);
  CHECK(affine(0, 191.25, true) == std::pair{1.0, 0.0});
  CHECK(affine(0, 127.5, true) == std::pair{0.5, 0.0});
  const auto symmetric = run_reference(
      {"affine_parameters", {reals({-127, 1, 0}), reals({1, 254, 0})}, {{"lo", integer(-127)}, {"hi", integer(127)}, {"symmetric", true}}});
  CHECK(symmetric[0] == Values{1, 2, 1});
  CHECK(symmetric[1] == Values{0});
}

TEST_CASE("N-REQ-FLOAT rounds ties to even, before the zero point is added") {
  CHECK(requantized({5, 7, -5, -7, 3, -3}, 0.5, 0) == Values{2, 4, -2, -4, 2, -2});
  CHECK(requantized({5, 7, -5, -7, 3, -3}, 0.5, 1) == Values{3, 5, -1, -3, 3, -1});
  CHECK(requantized({1000, -1000, 2147483647, -2147483647}, 0.5, 1) == Values{127, -127, 127, -127});
}

TEST_CASE("N-REQ-FLOAT rounds the accumulator, the product and the sum to float32 each") {
  // 16777217 becomes 16777216: the product is the tie 2.5 and not a little more.
  CHECK(requantized({16777217}, 0x1.4p-23, 0) == Values{2});
  // An integer bias comes before that: 7 * 0.5 is a tie, the difference of the rounded products would be 3.
  CHECK(run_reference({"requantize", {sums({16777217}), reals({0.5}), ints({0}), ints({-16777210})}, range(-127, 127)})[0] == Values{4});
  // The sum of the rounded product is the tie 36.5; a fused multiply-add would make it 36.500004.
  CHECK(run_reference({"requantize", {sums({8970}), reals({0x1.141694p-8}), ints({0}), reals({-0x1.49def4p+0})}, range(-127, 127)})[0] ==
        Values{36});
}

TEST_CASE("N-REQ-FLOAT adds an integer bias to the sum and a float bias to the product") {
  const Operand acc = i32({1, 2, 2}, listed({3, 4, 30, 40}));
  const Operand m = reals({0.5, 0.25});
  CHECK(run_reference({"requantize", {acc, m, ints({10}), ints({2, -4})}, range(0, 255)})[0] == Values{12, 13, 16, 19});
  CHECK(run_reference({"requantize", {acc, m, ints({10}), reals({2, -4})}, range(0, 255)})[0] == Values{14, 14, 14, 16});
}

TEST_CASE("N-REQ-POW2 is a right shift that rounds ties to even, exact for sums up to 2^24") {
  std::vector<double> accumulators{0, 1, -1, 2, -2, 3, -3, 5, -5, 16777215, -16777215, 16777216, -16777216};
  for (std::uint64_t i = 0; i < 500; ++i) accumulators.push_back(static_cast<double>(ir::random_bits(1, 3, 0, i) % 33554433) - 16777216);
  for (int shift = 1; shift <= 24; ++shift) {
    Values expected;
    for (const double accumulator : accumulators) {
      const auto acc = static_cast<std::int64_t>(accumulator);
      const std::int64_t whole = acc >> shift;
      const std::int64_t rest = acc - (whole << shift);
      const std::int64_t tie = std::int64_t{1} << (shift - 1);
      const std::int64_t rounded = rest > tie || (rest == tie && whole % 2 != 0) ? whole + 1 : whole;
      expected.push_back(static_cast<double>(std::clamp<std::int64_t>(rounded, -127, 127)));
    }
    CHECK(requantized(accumulators, std::ldexp(1.0, -shift), 0) == expected);
  }
}

TEST_CASE("N-REQ narrows the range by a fused clamp") {
  const Values acc{-100, 0, 8, 100};
  CHECK(run_reference({"requantize", {sums(acc), reals({0.5}), ints({10}), std::nullopt, ints({10, 20})}, range(0, 255)})[0] ==
        Values{10, 10, 14, 20});
  CHECK(run_reference(
            {"requantize_fixed", {sums(acc), ints({half}), ints({0}), ints({10}), std::nullopt, ints({10, 20})}, range(0, 255)})[0] ==
        Values{10, 10, 14, 20});
  const auto clamp = [](double scale, const Values& bounds) {
    return run_reference({"clamp_range", {reals({scale}), ints({12})}, {{"lo", integer(0)}, {"hi", integer(255)}, {"clamp", bounds}}})[0];
  };
  CHECK(clamp(0.5, {0}) == Values{12, 255});
  CHECK(clamp(0.5, {0, 6}) == Values{12, 24});
  CHECK(clamp(0.015625, {0, 6}) == Values{12, 255});
}

TEST_CASE("N-REQ-FIXED writes a multiplier as mantissa and shift") {
  const auto results = run_reference({"fixed_multiplier", {reals({0.5, 1, 0.75, 0.25, 3, 0.1, 0, 0x1.fffffep-1, 0x1p-32, 0x1p-33, 1e30})}});
  CHECK(results[0] == Values{half, half, 1610612736, half, 1610612736, 1717986944, 0, 2147483520, half, 0, 2147483647});
  CHECK(results[1] == Values{0, 1, 0, -1, 2, -3, 0, 0, -31, 0, 30});
}

TEST_CASE("N-REQ-FIXED multiplies as TensorFlow Lite's reference does: halves of the high multiplication go up") {
  // (a * 2^30 + nudge) / 2^31 truncates; the nudge 2^30, or 1 - 2^30 below zero, takes 2.5 to 3 and -2.5 to -2 (gemmlowp, VQRDMULH).
  CHECK(requantized_fixed({5, 7, 4, -5, -7, -4}, half, 0) == Values{3, 4, 2, -2, -3, -2});
}

TEST_CASE("N-REQ-FIXED shifts right with halves away from zero") {
  // The multiplication by 0.5 of an even number is exact: these ties are of the shift alone.
  CHECK(requantized_fixed({10, 6, 2, 8, -10, -6, -2, -8}, half, -1) == Values{3, 2, 1, 2, -3, -2, -1, -2});
  CHECK(requantized_fixed({20, 12, 24, -20, -12, -24}, half, -2) == Values{3, 2, 3, -3, -2, -3});
  // Two roundings: 5 * 0.25 is 1.25, but 2.5 becomes 3 and 1.5 becomes 2.
  CHECK(requantized_fixed({5, -5}, half, -1) == Values{2, -1});
}

TEST_CASE("N-REQ-FIXED shifts left before the multiplication and saturates") {
  CHECK(requantized_fixed({3, -3}, half, 2) == Values{6, -6});
  CHECK(requantized_fixed({5, -5}, 1610612736, 2) == Values{15, -15});
  CHECK(requantized_fixed({1073741824, -1073741824, 536870913}, half, 2) == Values{127, -127, 127});
}

TEST_CASE("N-REQ-FIXED adds zero point and bias and clamps") {
  CHECK(requantized_fixed({10, -10, 1000, -1000}, half, 0, 7) == Values{12, 2, 127, -127});
  const Operand acc = i32({1, 2, 2}, listed({3, 4, 30, 40}));
  CHECK(run_reference({"requantize_fixed", {acc, ints({half}), ints({0, -1}), ints({10}), ints({3, -4})}, range(0, 255)})[0] ==
        Values{13, 14, 17, 19});
}

TEST_CASE("N-BIAS divides and rounds ties to even, as the exact quotient says") {
  const auto bias = [](const Values& b, const Values& scale) {
    const Operand weights = s8({length(b), 1}, listed({1}));
    return run_reference({"fit_channels", {weights, reals(scale), reals({1}), std::nullopt, reals(b)}})[3];
  };
  CHECK(bias({2.5, 3.5, -2.5, -3.5, 0.5}, {1}) == Values{2, 4, -2, -4, 0});
  CHECK(bias({3, 3, 3}, {1, 2, 4}) == Values{3, 2, 1});
  CHECK(bias({0x1.800002p-1, 2.25}, {0.3}) == Values{3, 7});  // 2.5000003, which is 2.5 as a float
  // 16777217 steps and nearly a half: a float quotient knows even numbers only up there.
  CHECK(bias({0x1.000002p24}, {0x1.fffffep-1}) == Values{16777219});
  CHECK(bias({1073741824, -1073741824}, {1}) == Values{half, -half});
}

TEST_CASE("N-BIAS gives the weights' bits to a bias beyond 2^30 steps") {
  const auto fit = [](double w_scale, double b) {
    return run_reference({"fit_channels", {s8({1, 4}, listed({127, -3, 2, 1})), reals({w_scale}), reals({1}), std::nullopt, reals({b})}});
  };
  const auto kept = fit(1, 1073741824);
  CHECK(kept[0] == Values{127, -3, 2, 1});
  CHECK(kept[1] == Values{1});
  const auto twice = fit(1, 1073741952);    // the next float
  CHECK(twice[0] == Values{64, -2, 1, 0});  // 63.5, -1.5 and 0.5 are ties
  CHECK(twice[1] == Values{2});
  CHECK(twice[2] == Values{2});
  CHECK(twice[3] == Values{536870976});
  CHECK(twice[4] == Values{2});
  const auto eight = fit(0.5, -4294967296.0);  // 2^32: 2^33 steps, e = 3
  CHECK(eight[0] == Values{16, 0, 0, 0});
  CHECK(eight[1] == Values{4});
  CHECK(eight[3] == Values{-half});
}

TEST_CASE("N-BIAS makes a constant of a channel whose weights vanish, with a step of its own") {
  const auto constant = [](double w_scale, const Values& q, double x_scale, double b) {
    const Operand weights = s8({1, length(q)}, listed(q));
    return run_reference({"fit_channels", {weights, reals({w_scale}), reals({x_scale}), std::nullopt, reals({b})}});
  };
  CHECK(constant(-1, {3}, 1, 0.4)[0] == Values{0});  // a step below 2^-126, however far
  CHECK(constant(1, {3}, -1, 0.4)[0] == Values{0});
  const auto zero = constant(1, {0, 0}, 4, 0.4);  // 0.4 / 2^22 lies between 2^-24 and 2^-23
  CHECK(zero[0] == Values{0, 0});
  CHECK(zero[1] == Values{0x1p-23});
  CHECK(zero[2] == Values{0x1p-21});
  CHECK(zero[3] == Values{838861});  // 0.4 * 2^21 = 838860.8
  CHECK(zero[4] == Values{0});
  CHECK(constant(1, {0}, 1, 1)[1] == Values{0x1p-20});  // at a power of two: that one
  CHECK(constant(1, {0}, 1, 1)[3] == Values{1048576});
  CHECK(constant(0.25, {0}, 8, 0)[1] == Values{1});
  CHECK(constant(1e-12, {127, -127}, 1, -0.4)[0] == Values{0, 0});
  CHECK(constant(1e-12, {127, -127}, 1, -0.4)[1] == Values{0x1p-21});
  CHECK(constant(1, {0}, 1, 1e-40)[2] == Values{0x1p-126});  // a step is a normal number
  CHECK(constant(1, {0}, 0x1p-126, 1e-40)[1] == Values{1});
  CHECK(constant(0x1p127, {1}, 0x1p-60, 0x1p99)[0] == Values{0});  // no finite scale would do
  CHECK(constant(0x1p127, {1}, 4, 1)[1] == Values{0x1p-22});       // the step is infinite
  CHECK(constant(1, {1}, 0x1p-126, 0x1p50)[3] == Values{half});    // no scale at all
}

TEST_CASE("N-BIAS holds for any weights, scales and biases: a bias is off by half a step at most, and no step is larger than it must be") {
  std::uint64_t index = 0;
  const auto draw = [&index](int most) {
    return static_cast<int>(ir::random_bits(20240611, 5, 0, index++) % static_cast<std::uint64_t>(most));
  };
  const auto real = [&draw](int least, int most) {
    return std::ldexp(1 + static_cast<float>(draw(1 << 23)) * 0x1p-23F, least + draw(most - least + 1));
  };
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::int8_t> q(3);
    for (std::int8_t& weight : q) weight = static_cast<std::int8_t>(draw(3) == 0 ? 0 : draw(255) - 127);
    const float w_scale = real(-60, 20);
    const float x_scale = real(-40, 20);
    const float k = draw(9) == 0 ? 0.0F : (draw(2) == 0 ? 1.0F : -1.0F) * real(-50, 10);
    const float b = (draw(2) == 0 ? 1.0F : -1.0F) * real(-80, 40);
    CAPTURE(round);
    const ir::ChannelFit fit = ir::fit_channel(q, w_scale, x_scale, k, &b);
    // Products of two floats are exact in double precision; so is the difference of a bias and its integer steps, where it counts.
    const auto step = static_cast<double>(fit.step);
    CHECK(fit.step == x_scale * fit.weight_scale);
    CHECK(std::abs(std::fma(static_cast<double>(fit.bias), step, -static_cast<double>(b))) <= step / 2);
    CHECK(std::abs(fit.bias) <= 1 << 30);
    bool any = false;
    for (const std::int8_t weight : q) {
      any = any || fit.weight(weight) != 0;
      const double scaled = std::ldexp(static_cast<double>(weight), -fit.exponent) * (k < 0 ? -1 : 1);
      if (fit.sign != 0) CHECK(std::abs(scaled - fit.weight(weight)) <= 0.5);
      if (fit.sign == 0) CHECK(fit.weight(weight) == 0);
    }
    CHECK(any == (fit.sign != 0));
    if (any) {
      CHECK(fit.weight_scale == std::ldexp(w_scale * std::abs(k), fit.exponent));
      if (fit.exponent > 0) CHECK(std::abs(static_cast<double>(b)) > step / 2 * 1073741824.0);
    } else {
      int exponent = 0;
      CHECK(std::frexp(fit.weight_scale, &exponent) == 0.5F);
      CHECK(std::abs(fit.bias) <= 1 << 20);
      CHECK(std::abs(fit.bias) >= 1 << 19);
    }
  }
}

TEST_CASE("N-STE asks the integer before the clamp, which half a step outside may still be a bound") {
  const auto passes = [](const Values& x, double zero_point, std::int64_t lo, std::int64_t hi) {
    const Operand dy = f32({length(x)}, listed({1}));
    return run_reference({"clipped_gradient", {dy, reals(x), reals({1}), ints({zero_point})}, range(lo, hi)})[0];
  };
  // 127.5 and -127.5 round to even numbers outside; with z = 1 the bounds are 126 and -128, themselves even.
  CHECK(passes({127, 0x1.fdfffep6, 127.5, -127.5, -0x1.fdfffep6, 1e30, nan, -infinity}, 0, -127, 127) == Values{1, 1, 0, 0, 1, 0, 0, 0});
  CHECK(passes({126.5, 0x1.fa0002p6, -128.5, -0x1.010002p7}, 1, -127, 127) == Values{1, 0, 1, 0});
  CHECK(passes({-0.5, -0x1.000002p-1, 255.5, 0x1.fefffep7}, 0, 0, 255) == Values{1, 0, 0, 1});
}

TEST_CASE("N-AVG sums distances from the zero point exactly; padding contributes 0") {
  const Operand x = u8({1, 1, 3, 3}, listed({10, 20, 30, 40, 50, 60, 70, 80, 90}));
  CHECK(run_reference({"avg_pool_integer", {x, ints({50})}, {{"kernel", ir::Shape{2, 2}}, {"stride", ir::Shape{1, 1}}}})[0] ==
        Values{-80, -40, 40, 80});
  const Values padded =
      run_reference({"avg_pool_integer", {x, ints({50})}, {{"kernel", ir::Shape{2, 2}}, {"padding", ir::Shape{1, 1, 0, 0}}}})[0];
  CHECK(padded == Values{-40, -50, 10, 80});
  // With s_x = s_y the multiplier is 1 / 4: -10, -12.5, 2.5 and 20 steps.
  const Values m = run_reference({"average_multiplier", {reals({0.3}), reals({0.3})}, {{"count", integer(4)}}})[0];
  CHECK(m == Values{0.25});
  CHECK(run_reference({"requantize", {sums(padded), reals(m), ints({50})}, range(0, 255)})[0] == Values{40, 38, 52, 70});
  CHECK(run_reference({"reduce_sum_integer", {x, ints({50})}, {{"axes", ir::Shape{3}}}})[0] == Values{-90, 0, 90});
}

TEST_CASE("N-AVG divides by the product of scale and count") {
  // The quotient of the scales, divided by 49, would end in ...8e.
  CHECK(run_reference({"average_multiplier", {reals({0x1.3a054ep-8}), reals({0x1.27ce9cp-7})}, {{"count", integer(49)}}})[0] ==
        Values{0x1.62f48cp-7});
}

TEST_CASE("N-ACC subtracts the zero point and ignores padding") {
  const Operand x = u8({1, 1, 2, 2}, listed({1, 2, 3, 4}));
  const Operand w = s8({1, 1, 2, 2}, listed({1, -1, 2, -2}));
  CHECK(run_reference({"conv2d_integer", {x, w, ints({2})}})[0] == Values{-1 + 2 - 4});
  CHECK(run_reference({"conv2d_integer", {x, w, ints({2})}, {{"padding", ir::Shape{1, 1, 0, 0}}}})[0] == Values{2, -2, -1, -3});
  // Each pixel less 2, times the window: its rows and columns are two apart, and what lies in the padding is cut off.
  const ir::Attributes two{{"stride", ir::Shape{2, 2}}};
  CHECK(run_reference({"conv_transpose2d_integer", {x, w, ints({2})}, two})[0] ==
        Values{-1, 1, 0, 0, -2, 2, 0, 0, 1, -1, 2, -2, 2, -2, 4, -4});
  ir::Attributes cut = two;
  cut.set("padding", ir::Shape{1, 1, 1, 1});
  CHECK(run_reference({"conv_transpose2d_integer", {x, w, ints({2})}, cut})[0] == Values{2, 0, -1, 2});
  CHECK(run_reference({"linear_integer", {u8({1, 3}, listed({255})), s8({1, 3}, listed({-127})), ints({0})}})[0] == Values{-97155});
  CHECK(run_reference({"matmul_integer", {u8({1, 2}, listed({3, 5})), u8({2, 1}, listed({10, 20})), ints({4}), ints({15})}})[0] ==
        Values{10});
}

TEST_CASE("N-LOGITS scales the sum with its integer bias, or adds a float bias after") {
  CHECK(run_reference({"dequantize_accumulator", {sums({3, -4}), reals({0.5, 0.25}), ints({1, 2})}})[0] == Values{2, -0.5});
  CHECK(run_reference({"dequantize_accumulator", {sums({3, -4}), reals({0.5, 0.25}), reals({1, 2})}})[0] == Values{2.5, 1});
}

TEST_CASE("N-POINT dequantizes, computes in float and quantizes") {
  const auto point = [](const char* function) {
    return run_reference(
        {"point_binary",
         {u8({2}, listed({10, 11})), s8({2}, listed({3, -3})), reals({0.5}), ints({0}), reals({1}), ints({0}), reals({2}), ints({5})},
         {{"function", text(function)}, {"lo", integer(0)}, {"hi", integer(255)}}})[0];
  };
  CHECK(point("add") == Values{9, 6});   // 8 / 2, 2.5 / 2
  CHECK(point("sub") == Values{6, 9});   // 2 / 2, 8.5 / 2
  CHECK(point("mul") == Values{13, 0});  // 15 / 2 is a tie, -16.5 / 2
  const Values table = run_reference(
      {"tabulate",
       {reals({0.5}), ints({0}), reals({1}), ints({3})},
       {{"function", text("relu")}, {"x_lo", integer(-128)}, {"x_hi", integer(127)}, {"lo", integer(0)}, {"hi", integer(60)}}})[0];
  const Values looked_up = run_reference({"lookup", {s8({5}, listed({-128, 0, 1, 3, 127})), u8({256}, listed(table))}})[0];
  CHECK(looked_up == Values{3, 3, 3, 5, 60});
}

TEST_CASE("N-REQ-FIXED adds and multiplies two tensors in integers") {
  const auto parameters = run_reference({"add_fixed_multipliers", {reals({0.5}), reals({1}), reals({2})}});
  CHECK(parameters[0] == Values{half, half, half});
  CHECK(parameters[1] == Values{-1, 0, -19});
  const auto sum = [&](bool subtract) {
    return run_reference(
        {"add_fixed",
         {u8({2}, listed({14, 14})), s8({2}, listed({4, -10})), ints({4}), ints({1}), ints(parameters[0]), ints(parameters[1]), ints({5})},
         {{"subtract", subtract}, {"lo", integer(-127)}, {"hi", integer(127)}}})[0];
  };
  CHECK(sum(false) == Values{9, 2});  // (5 + 3) / 2, (5 - 11) / 2
  CHECK(sum(true) == Values{6, 13});  // (5 - 3) / 2, (5 + 11) / 2
  CHECK(run_reference({"mul_fixed",
                       {u8({2}, listed({14, 2})), s8({2}, listed({5, 5})), ints({4}), ints({1}), ints({half}), ints({-1}), ints({5})},
                       range(-127, 127)})[0] == Values{15, 3});  // 40 / 4, -8 / 4
}

TEST_CASE("N-STE lets the largest weight of every channel learn, at every width") {
  const std::int64_t channels = 2000;
  for (int bits = 2; bits <= 8; ++bits) {
    CAPTURE(bits);
    const std::int64_t hi = (std::int64_t{1} << (bits - 1)) - 1;
    const Operand weights = f32({channels, 3}, uniform(-1, 1));
    const Case ranges{"weight_range", {weights}};
    const std::vector<double> w = to_doubles(draw_operands(ranges).find(operand_name(0))->second);
    const auto extent = run_reference(ranges);
    const auto parameters =
        run_reference({"affine_parameters", {reals(extent[0]), reals(extent[1])}, {{"lo", -hi}, {"hi", hi}, {"symmetric", true}}});
    const Values gradient =
        run_reference({"clipped_gradient",
                       {f32({channels, 3}, listed({1})), f32({channels, 3}, listed(w)), reals(parameters[0]), ints({0})},
                       range(-hi, hi)})[0];
    CHECK(gradient == Values(gradient.size(), 1));
  }
}

TEST_CASE("N-BN-SCALE folds the factor into the weights' scale and its sign into the weights") {
  const Operand q = s8({4, 2}, listed({-127, 127, 5, -6, 8, 9, 10, 11}));
  const auto results = run_reference({"fit_channels", {q, reals({0.25}), reals({0.5}), reals({2, -2, 0, 1e-42}), reals({1, 1, 3, 0})}});
  CHECK(results[0] == Values{-127, 127, -5, 6, 0, 0, 0, 0});
  CHECK(results[1] == Values{0.5, 0.5, 0x1p-17, 1});
  CHECK(results[2] == Values{0.25, 0.25, 0x1p-18, 0.5});
  CHECK(results[3] == Values{4, 4, 786432, 0});
  CHECK(results[4] == Values{0.125, -0.125, 0, 0});
  // With a float bias a factor of 0 leaves nothing to fit.
  const auto floating = run_reference({"fit_channels", {q, reals({0.25}), reals({0.5}), reals({2, -2, 0, 1e-42})}});
  CHECK(floating[0] == results[0]);
  CHECK(floating[1] == Values{0.5, 0.5, 1, 1});
  CHECK(floating[3] == Values{0, 0, 0, 0});
  // The weights' scale is rounded before the input's comes to it: 0.3 * 0.1 and 0.7 * 0.3 * 0.1 in that order.
  const auto ordered = run_reference({"fit_channels", {s8({1, 1}, listed({1})), reals({0.1}), reals({0.7}), reals({0.3}), reals({0})}});
  CHECK(ordered[1] == Values{static_cast<double>(0.1F * 0.3F)});
  CHECK(ordered[2] == Values{static_cast<double>(0.7F * (0.1F * 0.3F))});
}

}  // namespace stair::tests
