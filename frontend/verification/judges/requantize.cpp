#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/site_check.h"
#include "frontend/verification/verdict.h"
#include "ir/error.h"

// N-REQ and N-AVG: what rescales a sum.

namespace stair::verification::judges {
namespace {

// The sums of a site with their biases, of which there may be as many as channels where the step is one.
struct Sums {
  explicit Sums(const SiteCheck& check)
      : acc(check.computed(check.site.number.value)),
        average(check.site.kind == JudgeSite::Kind::average),
        count(check.site.count),
        inner(check.site.inner),
        channels(average ? 1 : check.values(check.site.sum->step).count()) {
    if (operand_named(*check.site.made, "bias") == ir::absent) return;
    bias = check.operand("bias");
    biases = bias.tensor.count();
    (bias.tensor.type.dtype == ir::DType::f32 ? float_bias : integer_bias) = true;
  }

  std::int64_t channel(std::int64_t i) const { return i / inner % channels; }
  double with_bias(std::int64_t i) const {
    const double sum = average ? std::nearbyint(acc[i] * count) : acc[i];
    return integer_bias ? sum + static_cast<double>(bias.integer(i / inner % biases)) : sum;
  }
  double number_bias(std::int64_t i) const { return bias.number(i / inner % biases); }

  const double* acc;
  bool average;
  double count;
  std::int64_t inner, channels, biases = 1;
  ByChannel bias{};
  bool float_bias = false, integer_bias = false;
};

Expected expected_of_float(const SiteCheck& check) {
  const Sums sums(check);
  if (sums.average) {
    const ByChannel multiplier = check.operand("multiplier");
    return [=](std::int64_t i) {
      const double t = sums.with_bias(i) * multiplier.number();
      return check.around(t, 2 * float_unit * std::abs(t));
    };
  }
  const ByChannel step{check.values(check.site.sum->step)};
  return [=](std::int64_t i) {
    const double t = sums.with_bias(i) * step.number(sums.channel(i)) / check.scale;
    if (!sums.float_bias) return check.around(t, 3 * float_unit * std::abs(t));
    const double shifted = t + sums.number_bias(i);
    return check.around(shifted, 3 * float_unit * std::abs(t) + float_unit * std::abs(shifted));
  };
}

Expected expected_of_fixed(const SiteCheck& check) {
  const Sums sums(check);
  const ByChannel mantissa = check.operand("mantissa");
  const ByChannel shift = check.operand("shift");
  const auto [low, high] = check.range();
  return [=, low = low, high = high](std::int64_t i) {
    const std::int64_t c = sums.channel(i);
    const auto total = static_cast<std::int64_t>(sums.with_bias(i));
    const auto by = static_cast<int>(shift.integer(c));
    if (!sums.float_bias) {
      return exactly(std::clamp(exact::rescale(total, mantissa.integer(c), by) + check.zero_point, low, high));
    }
    const auto fine = static_cast<float>(exact::rescale(total, mantissa.integer(c), std::min(by + 8, 31)));
    const float t = fine / 256.0F + static_cast<float>(sums.number_bias(i));
    return exactly(check.zero_point + exact::nearest(static_cast<double>(t), static_cast<double>(low - check.zero_point),
                                                     static_cast<double>(high - check.zero_point)));
  };
}

// The floats that the node rescales by; of a mantissa those that it is of.
void judge_multipliers(Constants& all, const JudgeSite& site, ir::ValueId multiplier, ir::ValueId mantissa, ir::ValueId shift) {
  const double y = all.number(site.integers.scale);
  const bool sum = site.kind == JudgeSite::Kind::sum;
  Judgement of{site.name, "multiplier", true};
  for (std::int64_t c = 0; c < all.values(multiplier).count(); ++c) {
    const double expected = sum ? all.number(site.sum->step, c) / y : all.number(site.x.scale) / (y * site.count);
    const double m = all.number(multiplier, c);
    count(of, c, number_verdict(m, expected, (sum ? 1 : 3) * float_unit * expected), m);
    if (mantissa != ir::absent) count_fixed(of, c, all.integer(mantissa, c), all.integer(shift, c), m);
  }
  all.into.push_back(std::move(of));
}

void judge_float_bias(Constants& all, const JudgeSite& site) {
  const ir::ValueId bias = operand_named(*site.made, "bias");
  if (site.kind != JudgeSite::Kind::sum || bias == ir::absent || all.realized.type(bias).dtype != ir::DType::f32) return;
  const auto sum =
      std::find_if(all.graph.sums.begin(), all.graph.sums.end(), [&](const JudgeSum& other) { return other.sum.value == site.sum->value; });
  if (sum == all.graph.sums.end()) throw InternalError("the sum of '" + site.name + "' has no constants");
  const double y = all.number(site.integers.scale);
  const double* b = all.computed(sum->bias.value);
  const double* error = all.computed(sum->bias.error);
  Judgement of{site.name, "bias in steps", true};
  for (std::int64_t c = 0; c < all.values(bias).count(); ++c) {
    const double found = all.number(bias, c);
    const double off = (error == nullptr ? 0 : error[c] / y) + 1.01 * float_unit * std::abs(b[c] / y);
    count(of, c, number_verdict(found, b[c] / y, off), found);
  }
  all.into.push_back(std::move(of));
}

void judge_float(Constants& all, const JudgeSite& site) {
  judge_multipliers(all, site, operand_named(*site.made, "multiplier"), ir::absent, ir::absent);
  judge_float_bias(all, site);
}

void judge_fixed(Constants& all, const JudgeSite& site) {
  const ir::ValueId mantissa = operand_named(*site.made, "mantissa");
  judge_multipliers(all, site, all.realized.producer(mantissa)->operands[0], mantissa, operand_named(*site.made, "shift"));
  judge_float_bias(all, site);
}

}  // namespace

void requantize(OpJudgeRegistry& registry) {
  using Reads = OpJudge::Activations::Reads;
  registry.add({.name = "requantize", .activations = OpJudge::Activations{Reads::sum, expected_of_float, judge_float}});
  registry.add({.name = "requantize_fixed", .activations = OpJudge::Activations{Reads::sum, expected_of_fixed, judge_fixed}});
}

}  // namespace stair::verification::judges
