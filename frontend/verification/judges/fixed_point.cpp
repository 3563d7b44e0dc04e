#include <algorithm>
#include <utility>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/site_check.h"
#include "frontend/verification/verdict.h"

// N-REQ-FIXED of two operands: nothing is granted.

namespace stair::verification::judges {
namespace {

// The integers of both operands, less their zero points, and what they are multiplied by.
struct Pair {
  explicit Pair(const SiteCheck& check)
      : a(check.computed(check.site.first.value)),
        b(check.computed(check.site.second.value)),
        mantissa(check.operand("mantissa")),
        shift(check.operand("shift")),
        zero_point(check.zero_point),
        range(check.range()) {}

  std::int64_t x(std::int64_t i) const { return static_cast<std::int64_t>(a[i]); }
  std::int64_t y(std::int64_t i) const { return static_cast<std::int64_t>(b[i]); }
  std::int64_t rescaled(std::int64_t value, std::int64_t n) const {
    return exact::rescale(value, mantissa.integer(n), static_cast<int>(shift.integer(n)));
  }
  Interval clamped(std::int64_t q) const { return exactly(std::clamp(q + zero_point, range.first, range.second)); }

  const double* a;
  const double* b;
  ByChannel mantissa, shift;
  std::int64_t zero_point;
  std::pair<std::int64_t, std::int64_t> range;
};

Expected expected_of_addition(const SiteCheck& check) {
  const int sign = check.site.made->attributes.boolean("subtract") ? -1 : 1;
  return [pair = Pair(check), sign](std::int64_t i) {
    return pair.clamped(pair.rescaled(pair.rescaled(pair.x(i) * (1 << 20), 0) + sign * pair.rescaled(pair.y(i) * (1 << 20), 1), 2));
  };
}

Expected expected_of_multiplication(const SiteCheck& check) {
  return [pair = Pair(check)](std::int64_t i) { return pair.clamped(pair.rescaled(pair.x(i) * pair.y(i), 0)); };
}

// 2^20 s / (2 max(s_a, s_b)) of either operand, and 2 max(s_a, s_b) / (2^20 s_y).
void judge_addition(Constants& all, const JudgeSite& site) {
  const double a = all.number(site.x.scale);
  const double b = all.number(site.x2.scale);
  const double twice = 2 * std::max(a, b);
  const double multipliers[] = {a / twice, b / twice, twice / (0x1p20 * all.number(site.integers.scale))};
  Judgement of{site.name, "multiplier", true};
  for (std::int64_t n = 0; n < 3; ++n) {
    count_fixed(of, n, all.integer(operand_named(*site.made, "mantissa"), n), all.integer(operand_named(*site.made, "shift"), n),
                multipliers[n]);
  }
  all.into.push_back(std::move(of));
}

// s_a s_b / s_y, in floats.
void judge_multiplication(Constants& all, const JudgeSite& site) {
  const ir::ValueId mantissa = operand_named(*site.made, "mantissa");
  const double expected = all.number(site.x.scale) * all.number(site.x2.scale) / all.number(site.integers.scale);
  const double m = all.number(all.realized.producer(mantissa)->operands[0]);
  Judgement of{site.name, "multiplier", true};
  count(of, 0, number_verdict(m, expected, 3 * float_unit * expected), m);
  count_fixed(of, 0, all.integer(mantissa), all.integer(operand_named(*site.made, "shift")), m);
  all.into.push_back(std::move(of));
}

}  // namespace

void fixed_point(OpJudgeRegistry& registry) {
  using Reads = OpJudge::Activations::Reads;
  registry.add({.name = "add_fixed", .activations = OpJudge::Activations{Reads::pair, expected_of_addition, judge_addition}});
  registry.add({.name = "mul_fixed", .activations = OpJudge::Activations{Reads::pair, expected_of_multiplication, judge_multiplication}});
}

}  // namespace stair::verification::judges
