#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/verdict.h"

namespace stair::verification {
namespace {

constexpr double least_normal = 0x1p-126;
constexpr double most_bias = 0x1p30;

class SumJudge {
 public:
  SumJudge(Constants& all, const JudgeSum& its)
      : all_(all),
        its_(its),
        sum_(its.sum),
        name_(all.simulated.value(its.sum.value).name),
        x_scale_(all.number(all.graph.integers_of(its.sum.x).scale)) {}

  void run() {
    Judgement of_step{name_, "step", true};
    for (std::int64_t c = 0; c < all_.values(sum_.step).count(); ++c) {
      const double expected = x_scale_ * all_.number(sum_.weight_scale, c);
      const double found = all_.number(sum_.step, c);
      count(of_step, c, number_verdict(found, expected, float_unit * expected), found);
    }
    all_.into.push_back(std::move(of_step));
    const bool fitted = !its_.weights || sum_.weight != its_.weights->q;
    if (fitted && (its_.weights || its_.alone)) judge_fit();
    if (sum_.bias != ir::absent) judge_bias();
  }

 private:
  struct Channel {
    double factor = 1, factor_error = 0;  // of batch-norm
    double bias = 0, bias_error = 0;
    double base_scale = 1;  // before the fit
  };

  Channel channel(std::int64_t c) const {
    const auto at = [&](const std::string& output, double otherwise) {
      const double* its = all_.computed(output);
      return its == nullptr ? otherwise : its[c];
    };
    Channel made{at(its_.factor.value, 1), at(its_.factor.error, 0), at(its_.bias.value, 0), at(its_.bias.error, 0), 1};
    if (its_.weights) made.base_scale = all_.number(its_.weights->scale, c);
    if (its_.alone) made.base_scale = 1.0 / 64;
    return made;
  }

  // Of the weights before they were fitted.
  double base(std::int64_t i) const { return its_.weights ? static_cast<double>(all_.integer(its_.weights->q, i)) : 64.0; }

  void judge_fit() {
    const ir::TensorView fitted = all_.values(sum_.weight);
    const std::int64_t channels = fitted.type.shape.empty() ? 1 : fitted.type.shape[0];
    length_ = fitted.count() / channels;
    Judgement of_scale{name_, "fitted scale", true};
    Judgement of_weights{name_, "fitted weights", true};
    for (std::int64_t c = 0; c < channels; ++c) {
      const Channel its = channel(c);
      const double found = all_.number(sum_.weight_scale, c);
      const double plain = its.base_scale * std::abs(its.factor);
      const double plain_error = its.base_scale * its.factor_error + float_unit * plain;
      bool all_zero = true;
      for (std::int64_t i = c * length_; i < (c + 1) * length_; ++i) all_zero = all_zero && integer_at(fitted, i) == 0;
      const int exponent = plain > 0 && found > 0 ? static_cast<int>(std::lround(std::log2(found / plain))) : 0;
      const bool follows = plain > 0 && exponent >= 0 && std::abs(found - std::ldexp(plain, exponent)) <= std::ldexp(plain_error, exponent);
      if (!follows && !its_.weights && is_power_of_two(found) && !all_zero) {
        quantized_factor(c, its, found, integer_at(fitted, c), of_scale, of_weights);
        continue;
      }
      if (all_zero && !(follows && zero_from_start(c))) {
        count(of_scale, c, constant_channel(c, found, its, plain), found);
        continue;
      }
      count(of_scale, c, {follows, std::ldexp(plain, std::max(exponent, 0))}, found);
      if (sum_.bias != ir::absent && exponent > 0) {
        // The least exponent for which the bias fits.
        count(of_scale, c, {std::abs(its.bias) * (1 + 0x1p-20) + its.bias_error > most_bias * x_scale_ * found / 2, 0}, exponent);
      }
      const bool either_sign = std::abs(its.factor) <= its.factor_error;
      const double sign = its.factor < 0 ? -1 : 1;
      for (std::int64_t i = c * length_; i < (c + 1) * length_; ++i) {
        const std::int64_t expected = exact::nearest(std::ldexp(sign * base(i), -exponent), -128, 127);
        const std::int64_t integer = integer_at(fitted, i);
        count(of_weights, i, {integer == expected || (either_sign && integer == -expected), static_cast<double>(expected)},
              static_cast<double>(integer));
      }
    }
    all_.into.push_back(std::move(of_scale));
    all_.into.push_back(std::move(of_weights));
  }

  // Of a batch-norm by itself with powers of two: the factor is quantized, then fitted.
  static void quantized_factor(std::int64_t c, const Channel& its, double found, std::int64_t integer, Judgement& of_scale,
                               Judgement& of_weights) {
    const double first = std::exp2(std::ceil(std::log2(std::abs(its.factor) / 127)));
    const int fitted_by = std::max(0, static_cast<int>(std::lround(std::log2(found / first))));
    const double t = its.factor / first;
    const double error = its.factor_error / first + float_unit * std::abs(t);
    const auto expected = [&](double at) {
      return exact::nearest(std::ldexp(static_cast<double>(exact::nearest(at, -127, 127)), -fitted_by), -127, 127);
    };
    count(of_weights, c, {integer >= expected(t - error) && integer <= expected(t + error), static_cast<double>(expected(t))},
          static_cast<double>(integer));
    count(of_scale, c, {std::ldexp(first, fitted_by) == found, std::ldexp(first, fitted_by)}, found);
  }

  bool zero_from_start(std::int64_t c) const {
    if (sum_.bias != ir::absent) return false;  // N-BIAS makes it constant
    for (std::int64_t i = c * length_; i < (c + 1) * length_; ++i) {
      if (base(i) != 0) return false;
    }
    return true;
  }

  // N-BIAS 3: a channel whose integer weights are all 0, and could be nothing else.
  Verdict constant_channel(std::int64_t c, double found, const Channel& its, double plain) const {
    const bool integer_bias = sum_.bias != ir::absent;
    double largest = 0;
    for (std::int64_t i = c * length_; i < (c + 1) * length_; ++i) largest = std::max(largest, std::abs(base(i)));
    const double step = x_scale_ * plain;
    const double bias = std::abs(its.bias);
    const bool infinite = std::max(step, std::max(plain, found)) > 0x1p126;  // no float32 scale holds it
    const bool abnormal = infinite || step * (1 - 4 * float_unit) - x_scale_ * its.base_scale * its.factor_error < least_normal;
    double shifted = largest;
    for (double most = most_bias * step; integer_bias && most > 0 && bias * (1 + 0x1p-20) + its.bias_error > most && shifted > 0.25;
         most *= 2)
      shifted /= 2;
    const bool may = abnormal || shifted <= 0.5 * (1 + 0x1p-20);
    if (!integer_bias || bias + its.bias_error == 0) return {may && (found == 1 || found * x_scale_ <= 2 * least_normal), 1};
    const double least = bias / (0x1p20 * x_scale_);
    const double error = its.bias_error / (0x1p20 * x_scale_) + 0x1p-40 * least;
    const bool at_least = found >= least - error || found >= 0x1p127;
    const bool no_more =
        found / 2 < least + error || found <= 2 * least_normal || found * x_scale_ <= 2 * least_normal || (its.bias == 0 && found == 1);
    return {may && is_power_of_two(found) && at_least && no_more, std::exp2(std::ceil(std::log2(std::max(least, least_normal))))};
  }

  // |q_b step - b| <= step / 2, and b what the fold says.
  void judge_bias() {
    Judgement of_float{name_, "bias as a float", true};
    Judgement of_integer{name_, "bias", true};
    for (std::int64_t c = 0; c < all_.values(sum_.bias).count(); ++c) {
      const Channel its = channel(c);
      const double b = all_.number(sum_.float_bias, c);
      count(of_float, c, number_verdict(b, its.bias, its.bias_error + 0x1p-40 * std::abs(its.bias)), b);
      const double step = all_.number(sum_.step, c);
      const auto found = static_cast<double>(all_.integer(sum_.bias, c));
      const long double off = static_cast<long double>(found) * static_cast<long double>(step) - static_cast<long double>(b);
      const bool beyond = std::abs(b) > most_bias * step * (1 + 0x1p-20) && step >= 0x1p126;  // no float32 scale holds it
      const bool fits = std::abs(off) <= static_cast<long double>(step) / 2 && std::abs(found) <= most_bias;
      count(of_integer, c, {fits || beyond, std::nearbyint(b / step)}, found);
    }
    all_.into.push_back(std::move(of_float));
    all_.into.push_back(std::move(of_integer));
  }

  Constants& all_;
  const JudgeSum& its_;
  const passes::IntegerSum& sum_;
  const std::string& name_;
  double x_scale_;
  std::int64_t length_ = 0;  // of a channel's weights
};

}  // namespace

void judge_sum(Constants& constants, const JudgeSum& its) {
  SumJudge(constants, its).run();
}

}  // namespace stair::verification
