#include "frontend/verification/judge_constants.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <string>
#include <utility>

#include "frontend/verification/exact_integers.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::verification {
namespace {

using ir::Node;
using ir::TensorView;
using ir::ValueId;

constexpr double least_normal = 0x1p-126;
constexpr double most_bias = 0x1p30;

// The activation functions in double precision, as docs/format-sir.md states them.
double function_of(const Node& tabulate, double x) {
  const std::string& function = tabulate.attributes.text("function");
  if (function == "identity") return x;
  if (function == "relu") return std::max(x, 0.0);
  if (function == "relu6") return std::clamp(x, 0.0, 6.0);
  if (function == "leaky_relu") return x > 0 ? x : x * tabulate.attributes.numbers("parameters").at(0);
  if (function == "sigmoid") return 1 / (1 + std::exp(-x));
  if (function == "tanh") return std::tanh(x);
  if (function == "gelu") return x / 2 * std::erfc(-x / std::numbers::sqrt2);
  if (function == "hard_sigmoid") return std::clamp(x + 3, 0.0, 6.0) / 6;
  if (function == "hard_swish") return x * std::clamp(x + 3, 0.0, 6.0) / 6;
  throw Error("verify knows no function '" + function + "', of which '" + tabulate.name + "' is a table");
}

class Constants {
 public:
  Constants(const JudgeGraph& graph, const ir::Graph& simulated, const ir::Graph& realized, const runtime::Tensors& states,
            const runtime::Executor& executor, const Judge::Values& values, std::vector<Judgement>& into)
      : graph_(graph), simulated_(simulated), realized_(realized), states_(states), executor_(executor), values_(values), into_(into) {}

  void run() {
    for (const JudgeSite& site : graph_.sites) {
      if (site.fake != nullptr) parameters(site.fake, site.name, site.integers);
    }
    for (const JudgeWeights& weights : graph_.weights) judge(weights);
    for (const JudgeSum& sum : graph_.sums) judge(sum);
    for (const JudgeSite& site : graph_.sites) {
      range(site);
      rescale(site);
    }
    tables();
  }

 private:
  Judgement& begin(const std::string& name, const char* what) {
    into_.push_back({name, what, true});
    return into_.back();
  }
  static void element(Judgement& of, std::int64_t index, bool right, double expected, double found) {
    ++of.elements;
    if (right) return;
    ++of.wrong;
    if (!of.first) of.first = Difference{of.node, of.what, -1, index, expected, found};
  }
  // An integer between the roundings of least and most.
  static void integer(Judgement& of, std::int64_t index, std::int64_t found, double t, double error, double low, double high) {
    const double room = error + 0x1p-40 * (1 + std::abs(t));
    const std::int64_t least = exact::nearest(t - room, low, high);
    const std::int64_t most = exact::nearest(t + room, low, high);
    const std::int64_t nearest = exact::nearest(t, low, high);
    if (found != nearest && found >= least && found <= most) ++of.near_ties;
    element(of, index, found >= least && found <= most, static_cast<double>(nearest), static_cast<double>(found));
  }
  static void number(Judgement& of, std::int64_t index, double found, double expected, double error) {
    element(of, index, std::abs(found - expected) <= error + 0x1p-149, expected, found);
  }

  double float_at(ValueId value, std::int64_t i) const {
    const TensorView its = values_(value);
    return static_cast<double>(its.as<float>()[its.count() == 1 ? 0 : i]);
  }
  std::int64_t integer_of(ValueId value, std::int64_t i) const {
    const TensorView its = values_(value);
    return integer_at(its, its.count() == 1 ? 0 : i);
  }
  const double* doubles(const std::string& name) const { return name.empty() ? nullptr : executor_.output(name).as<double>(); }

  // ---- quantizers ----------------------------------------------------------------------------------------------------

  // A scale of the range that is `size` large, in so many steps (N-PARAM).
  void scale(Judgement& of, std::int64_t index, double found, double size, double steps, double error, bool power_of_two) const {
    const double exact_scale = size / steps;
    const double off = error / steps + 2 * float_unit * exact_scale;
    if (exact_scale - off < least_normal) {
      if (found == 1) return element(of, index, true, 1, found);  // an empty range
    }
    if (exact_scale > static_cast<double>(std::numeric_limits<float>::max()))
      return element(of, index, found > 0x1p125, exact_scale, found);
    if (!power_of_two) return number(of, index, found, exact_scale, off);
    int exponent = 0;
    const bool power = std::frexp(found, &exponent) == 0.5;
    element(of, index, power && found >= exact_scale - off && found / 2 < exact_scale + off, std::exp2(std::ceil(std::log2(exact_scale))),
            found);
  }

  const Node& parameters_of(const Node& fake) const {
    const Node* node = simulated_.producer(fake.operands[1]);
    if (node == nullptr) throw InternalError("'" + fake.name + "' has a scale that no node makes");
    return *node;
  }

  void parameters(const Node* fake, const std::string& name, const passes::Integers& its) {
    const Node& from = parameters_of(*fake);
    if (from.op->name != "affine_parameters") return;
    const auto state = [&](ValueId value) -> std::optional<double> {
      const auto it = states_.find(simulated_.value(value).name);
      if (simulated_.state(value) == nullptr || it == states_.end()) return std::nullopt;
      return static_cast<double>(*it->second.as<float>());
    };
    const std::optional<double> low = state(from.operands[0]);
    const std::optional<double> high = state(from.operands[1]);
    if (!low || !high) return;  // follows the data as it runs
    const double least = std::min(*low, 0.0);
    const double most = std::max(*high, 0.0);
    const auto lo = static_cast<double>(from.attributes.integer("lo"));
    const auto hi = static_cast<double>(from.attributes.integer("hi"));
    const bool symmetric = from.attributes.boolean("symmetric");
    const double found = float_at(its.scale, 0);
    Judgement& of_scale = begin(name, "scale");
    scale(of_scale, 0, found, symmetric ? std::max(-least, most) : most - least, symmetric ? hi : hi - lo, 0,
          from.attributes.boolean("power_of_two"));
    Judgement& of_zero = begin(name, "zero point");
    const double t = symmetric ? 0 : lo - least / found;
    integer(of_zero, 0, integer_of(its.zero_point, 0), t, float_unit * std::abs(least / found) + float_unit * std::abs(t),
            symmetric ? 0 : lo, symmetric ? 0 : hi);
  }

  void judge(const JudgeWeights& its) {
    const double* w = doubles(its.number.value);
    const double* error = doubles(its.number.error);
    const auto off = [&](std::int64_t i) { return error == nullptr ? 0 : error[i]; };
    const TensorView q = values_(its.integers.q);
    const std::string name = simulated_.value(its.fake->operands[0]).name;
    element(begin(name, "zero point"), 0, integer_of(its.integers.zero_point, 0) == 0, 0,
            static_cast<double>(integer_of(its.integers.zero_point, 0)));
    if (its.fake->op->name == "fake_binarize") {
      element(begin(name, "scale"), 0, float_at(its.integers.scale, 0) == 1, 1, float_at(its.integers.scale, 0));
      Judgement& of = begin(name, "weights");
      for (std::int64_t i = 0; i < q.count(); ++i) {
        const std::int64_t found = integer_at(q, i);
        const bool tie = std::abs(w[i]) <= off(i) && std::abs(found) == 1;
        element(of, i, tie || found == (w[i] >= 0 ? 1 : -1), w[i] >= 0 ? 1 : -1, static_cast<double>(found));
      }
      return;
    }
    if (its.fake->op->name == "fake_ternarize") return ternary(its, w, off);
    const Node& from = parameters_of(*its.fake);
    // N-LSQ: the state is the scale.
    const float* steps = from.op->name == "learned_scale" ? states_.at(simulated_.value(from.operands[0]).name).as<float>() : nullptr;
    const auto lo = static_cast<double>(its.fake->attributes.integer("lo"));
    const auto hi = static_cast<double>(its.fake->attributes.integer("hi"));
    const std::int64_t channels = values_(its.integers.scale).count();
    const std::int64_t length = q.count() / channels;
    Judgement of_scale{name, "scale", true};
    Judgement of_weights{name, "weights", true};
    for (std::int64_t c = 0; c < channels; ++c) {
      double largest = 0;
      double largest_error = 0;
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
        largest = std::max(largest, std::abs(w[i]));
        largest_error = std::max(largest_error, off(i));
      }
      const double s = float_at(its.integers.scale, c);
      if (steps != nullptr) {
        scale(of_scale, c, s, std::max(std::abs(static_cast<double>(steps[c])), 0x1p-100), 1, 0, from.attributes.boolean("power_of_two"));
      } else {
        scale(of_scale, c, s, largest, hi, largest_error, from.attributes.boolean("power_of_two"));
      }
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
        const double t = w[i] / s;
        integer(of_weights, i, integer_at(q, i), t, off(i) / s + float_unit * std::abs(t), lo, hi);
      }
    }
    into_.push_back(std::move(of_scale));
    into_.push_back(std::move(of_weights));
  }

  // N-TERNARY: which weights are beyond the threshold, and the mean magnitude of those that were found to be.
  template <class Off>
  void ternary(const JudgeWeights& its, const double* w, const Off& off) {
    const TensorView q = values_(its.integers.q);
    const std::string name = simulated_.value(its.fake->operands[0]).name;
    const std::int64_t channels = values_(its.integers.scale).count();
    const std::int64_t length = q.count() / channels;
    Judgement of_scale{name, "scale", true};
    Judgement of_weights{name, "weights", true};
    for (std::int64_t c = 0; c < channels; ++c) {
      double sum = 0;
      double error = 0;
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
        sum += std::abs(w[i]);
        error += off(i);
      }
      const double threshold = 0.7 * sum / static_cast<double>(length);
      const double blur = 0.7 * error / static_cast<double>(length) + 2 * float_unit * threshold;
      double beyond = 0;
      double beyond_error = 0;
      double number_beyond = 0;
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
        const std::int64_t found = integer_at(q, i);
        const std::int64_t expected = std::abs(w[i]) <= threshold ? 0 : w[i] > 0 ? 1 : -1;
        const bool tie = std::abs(std::abs(w[i]) - threshold) <= blur + off(i);
        if (tie && found != expected) ++of_weights.near_ties;
        element(of_weights, i, found == expected || (tie && (found == 0 || found == (w[i] > 0 ? 1 : -1))), static_cast<double>(expected),
                static_cast<double>(found));
        if (found == 0) continue;
        beyond += std::abs(w[i]);
        beyond_error += off(i);
        ++number_beyond;
      }
      const double mean = number_beyond > 0 ? beyond / number_beyond : 1;
      number(of_scale, c, float_at(its.integers.scale, c), mean, beyond_error / std::max(number_beyond, 1.0) + 2 * float_unit * mean);
    }
    into_.push_back(std::move(of_scale));
    into_.push_back(std::move(of_weights));
  }

  // ---- sums ----------------------------------------------------------------------------------------------------------

  struct Channel {
    double factor = 1, factor_error = 0;  // of batch-norm
    double bias = 0, bias_error = 0;
    double base_scale = 1;  // before the fit
  };

  void judge(const JudgeSum& its) {
    const passes::IntegerSum& sum = its.sum;
    const std::string& name = simulated_.value(sum.value).name;
    const double x_scale = float_at(graph_.integers_of(sum.x).scale, 0);
    const TensorView step = values_(sum.step);
    const bool alone = its.layer->op->name == "batch_norm_inference";
    Judgement of_step{name, "step", true};
    for (std::int64_t c = 0; c < step.count(); ++c) {
      const double expected = x_scale * float_at(sum.weight_scale, c);
      number(of_step, c, static_cast<double>(step.as<float>()[c]), expected, float_unit * expected);
    }
    into_.push_back(std::move(of_step));

    const double* factor = doubles(its.factor.value);
    const double* factor_error = doubles(its.factor.error);
    const double* bias = doubles(its.bias.value);
    const double* bias_error = doubles(its.bias.error);
    const auto channel = [&](std::int64_t c) {
      Channel made;
      if (factor != nullptr) made.factor = factor[c];
      if (factor_error != nullptr) made.factor_error = factor_error[c];
      if (bias != nullptr) made.bias = bias[c];
      if (bias_error != nullptr) made.bias_error = bias_error[c];
      if (its.weights) made.base_scale = float_at(its.weights->scale, c);
      if (alone) made.base_scale = 1.0 / 64;
      return made;
    };
    const bool fitted = !its.weights || sum.weight != its.weights->q;
    if (fitted && (its.weights || alone)) fit(its, name, x_scale, channel);
    if (sum.bias != ir::absent) integer_bias(sum, name, channel);
  }

  void fit(const JudgeSum& its, const std::string& name, double x_scale, const std::function<Channel(std::int64_t)>& channel) {
    const passes::IntegerSum& sum = its.sum;
    const TensorView fitted = values_(sum.weight);
    const std::int64_t channels = fitted.type.shape.empty() ? 1 : fitted.type.shape[0];
    const std::int64_t length = fitted.count() / channels;
    Judgement of_scale{name, "fitted scale", true};
    Judgement of_weights{name, "fitted weights", true};
    for (std::int64_t c = 0; c < channels; ++c) {
      const Channel its_channel = channel(c);
      const double found = float_at(sum.weight_scale, c);
      const double plain = its_channel.base_scale * std::abs(its_channel.factor);
      const double plain_error = its_channel.base_scale * its_channel.factor_error + float_unit * plain;
      const auto base = [&](std::int64_t i) { return its.weights ? static_cast<double>(integer_of_weights(*its.weights, i)) : 64.0; };
      bool all_zero = true;
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) all_zero = all_zero && integer_at(fitted, i) == 0;
      const int exponent = plain > 0 && found > 0 ? static_cast<int>(std::lround(std::log2(found / plain))) : 0;
      const bool follows = plain > 0 && exponent >= 0 && std::abs(found - std::ldexp(plain, exponent)) <= std::ldexp(plain_error, exponent);
      if (!follows && its.weights == std::nullopt && power_of_two(found) && !all_zero) {
        // Of a batch-norm by itself with powers of two: the factor is quantized, then fitted.
        const double first = std::exp2(std::ceil(std::log2(std::abs(its_channel.factor) / 127)));
        const int fitted_by = std::max(0, static_cast<int>(std::lround(std::log2(found / first))));
        const double t = its_channel.factor / first;
        const double error = its_channel.factor_error / first + float_unit * std::abs(t);
        const auto expected = [&](double at) {
          return exact::nearest(std::ldexp(static_cast<double>(exact::nearest(at, -127, 127)), -fitted_by), -127, 127);
        };
        const std::int64_t its_integer = integer_at(fitted, c);
        element(of_weights, c, its_integer >= expected(t - error) && its_integer <= expected(t + error), static_cast<double>(expected(t)),
                static_cast<double>(its_integer));
        element(of_scale, c, std::ldexp(first, fitted_by) == found, std::ldexp(first, fitted_by), found);
        continue;
      }
      if (all_zero && !(follows && all_zero_from_start(its, base, c, length))) {
        constant_channel(of_scale, c, found, its_channel, x_scale, base, length, plain, sum.bias != ir::absent);
        continue;
      }
      element(of_scale, c, follows, std::ldexp(plain, std::max(exponent, 0)), found);
      if (sum.bias != ir::absent && exponent > 0) {
        // The least exponent for which the bias fits.
        element(of_scale, c, std::abs(its_channel.bias) * (1 + 0x1p-20) + its_channel.bias_error > most_bias * x_scale * found / 2, 0,
                exponent);
      }
      const bool either_sign = std::abs(its_channel.factor) <= its_channel.factor_error;
      const double sign = its_channel.factor < 0 ? -1 : 1;
      for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
        const double t = std::ldexp(sign * base(i), -exponent);
        const std::int64_t expected = exact::nearest(t, -128, 127);
        const std::int64_t its_integer = integer_at(fitted, i);
        element(of_weights, i, its_integer == expected || (either_sign && its_integer == -expected), static_cast<double>(expected),
                static_cast<double>(its_integer));
      }
    }
    into_.push_back(std::move(of_scale));
    into_.push_back(std::move(of_weights));
  }

  std::int64_t integer_of_weights(const passes::Integers& its, std::int64_t i) const { return integer_at(values_(its.q), i); }
  static bool power_of_two(double x) {
    int exponent = 0;
    return std::frexp(x, &exponent) == 0.5;
  }
  static bool all_zero_from_start(const JudgeSum& its, const std::function<double(std::int64_t)>& base, std::int64_t c,
                                  std::int64_t length) {
    if (its.sum.bias != ir::absent) return false;  // N-BIAS makes it constant
    for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
      if (base(i) != 0) return false;
    }
    return true;
  }

  // N-BIAS 3: a channel whose integer weights are all 0, and could be nothing else.
  void constant_channel(Judgement& of, std::int64_t c, double found, const Channel& its, double x_scale,
                        const std::function<double(std::int64_t)>& base, std::int64_t length, double plain, bool integer_bias) const {
    double largest = 0;
    for (std::int64_t i = c * length; i < (c + 1) * length; ++i) largest = std::max(largest, std::abs(base(i)));
    const double step = x_scale * plain;
    const double bias = std::abs(its.bias);
    const bool infinite = std::max(step, std::max(plain, found)) > 0x1p126;  // no float32 scale holds it
    const bool abnormal = infinite || step * (1 - 4 * float_unit) - x_scale * its.base_scale * its.factor_error < least_normal;
    double shifted = largest;
    for (double most = most_bias * step; integer_bias && most > 0 && bias * (1 + 0x1p-20) + its.bias_error > most && shifted > 0.25;
         most *= 2)
      shifted /= 2;
    const bool may = abnormal || shifted <= 0.5 * (1 + 0x1p-20);
    if (!integer_bias || bias + its.bias_error == 0)
      return element(of, c, may && (found == 1 || found * x_scale <= 2 * least_normal), 1, found);
    const double least = bias / (0x1p20 * x_scale);
    const double error = its.bias_error / (0x1p20 * x_scale) + 0x1p-40 * least;
    const bool at_least = found >= least - error || found >= 0x1p127;
    const bool no_more =
        found / 2 < least + error || found <= 2 * least_normal || found * x_scale <= 2 * least_normal || (its.bias == 0 && found == 1);
    element(of, c, may && power_of_two(found) && at_least && no_more, std::exp2(std::ceil(std::log2(std::max(least, least_normal)))),
            found);
  }

  // |q_b step - b| <= step / 2, and b what the fold says.
  void integer_bias(const passes::IntegerSum& sum, const std::string& name, const std::function<Channel(std::int64_t)>& channel) {
    const TensorView q = values_(sum.bias);
    Judgement of_float{name, "bias as a float", true};
    Judgement of_integer{name, "bias", true};
    for (std::int64_t c = 0; c < q.count(); ++c) {
      const Channel its = channel(c);
      const double b = float_at(sum.float_bias, c);
      number(of_float, c, b, its.bias, its.bias_error + 0x1p-40 * std::abs(its.bias));
      const double step = float_at(sum.step, c);
      const std::int64_t found = integer_at(q, c);
      const long double off = static_cast<long double>(found) * static_cast<long double>(step) - static_cast<long double>(b);
      const bool beyond = std::abs(b) > most_bias * step * (1 + 0x1p-20) && step >= 0x1p126;  // no float32 scale holds it
      const bool fits = std::abs(off) <= static_cast<long double>(step) / 2 && std::abs(static_cast<double>(found)) <= most_bias;
      element(of_integer, c, fits || beyond, std::nearbyint(b / step), static_cast<double>(found));
    }
    into_.push_back(std::move(of_float));
    into_.push_back(std::move(of_integer));
  }

  // ---- what rescales -------------------------------------------------------------------------------------------------

  static bool has(const Node& node, std::size_t operand) { return operand < node.operands.size() && node.operands[operand] != ir::absent; }

  void range(const JudgeSite& site) {
    if (site.clamp == nullptr) return;
    const std::string& how = site.made->op->name;
    const std::size_t operand = how == "requantize" ? 4 : how == "requantize_fixed" ? 5 : how == "point_binary" ? 8 : 7;
    Judgement& of = begin(site.name, "clamp");
    if (!has(*site.made, operand)) return element(of, 0, false, 0, 0);
    const double s = float_at(site.integers.scale, 0);
    const auto zero_point = static_cast<double>(integer_of(site.integers.zero_point, 0));
    const double low = site.range.lo - zero_point;
    const double high = site.range.hi - zero_point;
    const ir::OpSchema::Clamp& clamp = *site.clamp->op->clamp;
    const auto end = [&](std::int64_t index, std::optional<double> bound, double without) {
      const auto found = static_cast<double>(integer_of_pair(site.made->operands[operand], index));
      if (!bound) return element(of, index, found == without + zero_point, without + zero_point, found);
      const double t = *bound / s;
      integer(of, index, static_cast<std::int64_t>(found - zero_point), t, float_unit * std::abs(t), low, high);
    };
    end(0, clamp.low, low);
    end(1, clamp.high, high);
  }
  std::int64_t integer_of_pair(ValueId value, std::int64_t i) const { return integer_at(values_(value), i); }

  // A mantissa and shift to the nearest of m, of which `error` is known to be uncertain.
  void mantissa(Judgement& of, std::int64_t index, const Node& made, std::size_t operand, double m) const {
    const auto found = static_cast<double>(integer_of(made.operands[operand], index));
    const auto shift = static_cast<int>(integer_of(made.operands[operand + 1], index));
    if (!(m > 0)) return element(of, index, found == 0, 0, found);
    int exponent = 0;
    double expected = std::nearbyint(std::frexp(m, &exponent) * 0x1p31);
    if (expected == 0x1p31) {
      expected /= 2;
      ++exponent;
    }
    if (exponent < -31) return element(of, index, found == 0, 0, found);
    if (exponent > 30) return element(of, index, found == 0x1p31 - 1 && shift == 30, 0x1p31 - 1, found);
    element(of, index, found == expected && shift == exponent, std::ldexp(expected, exponent - 31), std::ldexp(found, shift - 31));
  }

  void rescale(const JudgeSite& site) {
    if (site.kind == JudgeSite::Kind::exact) return;
    const Node& made = *site.made;
    const std::string& how = made.op->name;
    const double y = float_at(site.integers.scale, 0);
    if (how == "add_fixed") {
      const double a = float_at(site.x.scale, 0);
      const double b = float_at(site.x2.scale, 0);
      const double twice = 2 * std::max(a, b);
      Judgement& of = begin(site.name, "multiplier");
      mantissa(of, 0, made, 4, a / twice);
      mantissa(of, 1, made, 4, b / twice);
      mantissa(of, 2, made, 4, twice / (0x1p20 * y));
      return;
    }
    if (how != "requantize" && how != "requantize_fixed" && how != "mul_fixed") return;
    const bool fixed = how != "requantize";
    const std::size_t operand = how == "mul_fixed" ? 4 : 1;
    // The float that a mantissa is of.
    const ValueId multiplier = fixed ? realized_.producer(made.operands[operand])->operands[0] : made.operands[operand];
    const auto expected = [&](std::int64_t c) {
      if (site.kind == JudgeSite::Kind::sum) return float_at(site.sum->step, c) / y;
      const double x = float_at(site.x.scale, 0);
      return site.kind == JudgeSite::Kind::average ? x / (y * site.count) : x * float_at(site.x2.scale, 0) / y;
    };
    const double roundings = site.kind == JudgeSite::Kind::sum ? 1 : 3;
    Judgement of{site.name, "multiplier", true};
    for (std::int64_t c = 0; c < values_(multiplier).count(); ++c) {
      const double m = float_at(multiplier, c);
      number(of, c, m, expected(c), roundings * float_unit * expected(c));
      if (fixed) mantissa(of, c, made, operand, m);
    }
    into_.push_back(std::move(of));
    const std::size_t bias = how == "requantize" ? 3 : 4;
    if (site.kind != JudgeSite::Kind::sum || !has(made, bias) || realized_.type(made.operands[bias]).dtype != ir::DType::f32) return;
    for (const JudgeSum& sum : graph_.sums) {
      if (sum.sum.value != site.sum->value) continue;
      const double* b = doubles(sum.bias.value);
      const double* error = doubles(sum.bias.error);
      Judgement of_bias{site.name, "bias in steps", true};
      for (std::int64_t c = 0; c < values_(made.operands[bias]).count(); ++c) {
        number(of_bias, c, float_at(made.operands[bias], c), b[c] / y,
               (error == nullptr ? 0 : error[c] / y) + 1.01 * float_unit * std::abs(b[c] / y));
      }
      into_.push_back(std::move(of_bias));
    }
  }

  void tables() {
    for (const Node& node : realized_.nodes()) {
      if (node.op->name != "lookup") continue;
      const Node* table = realized_.producer(node.operands[1]);
      if (table == nullptr || table->op->name != "tabulate") throw InternalError("'" + node.name + "' reads no table");
      passes::Integers x{ir::absent, ir::absent, table->operands[0], table->operands[1]};
      passes::Integers y{ir::absent, ir::absent, table->operands[2], table->operands[3]};
      for (const JudgeSite& site : graph_.sites) {
        if (site.made != &node) continue;
        x = site.x;
        y = site.integers;
      }
      Judgement of{node.name, "table", true};
      const TensorView entries = values_(node.operands[1]);
      const double x_scale = float_at(x.scale, 0);
      const double y_scale = float_at(y.scale, 0);
      const auto x_zero = static_cast<double>(integer_of(x.zero_point, 0));
      const auto y_zero = static_cast<double>(integer_of(y.zero_point, 0));
      const std::int64_t x_lo = table->attributes.integer("x_lo");
      for (std::int64_t q = x_lo; q <= table->attributes.integer("x_hi"); ++q) {
        const double in = (static_cast<double>(q) - x_zero) * x_scale;
        const double out = function_of(*table, in);
        const bool plain = table->attributes.text("function") == "identity" || table->attributes.text("function") == "relu";
        const double slope =
            table->attributes.text("function") == "leaky_relu" ? std::abs(table->attributes.numbers("parameters").at(0)) : 0;
        const double error = plain ? float_unit * std::abs(in)
                                   : std::max(1.5, slope) * float_unit * std::abs(in) + 8 * float_unit * (std::abs(in) + std::abs(out));
        const double t = out / y_scale;
        const std::int64_t index = q + (x_lo < 0 ? 128 : 0);
        integer(of, index, integer_at(entries, index) - static_cast<std::int64_t>(y_zero), t, error / y_scale + float_unit * std::abs(t),
                static_cast<double>(table->attributes.integer("lo")) - y_zero,
                static_cast<double>(table->attributes.integer("hi")) - y_zero);
      }
      into_.push_back(std::move(of));
    }
  }

  const JudgeGraph& graph_;
  const ir::Graph& simulated_;
  const ir::Graph& realized_;
  const runtime::Tensors& states_;
  const runtime::Executor& executor_;
  const Judge::Values& values_;
  std::vector<Judgement>& into_;
};

}  // namespace

std::int64_t integer_at(const TensorView& tensor, std::int64_t i) {
  switch (tensor.type.dtype) {
    case ir::DType::u8:
      return tensor.as<std::uint8_t>()[i];
    case ir::DType::s8:
      return tensor.as<std::int8_t>()[i];
    case ir::DType::i32:
      return tensor.as<std::int32_t>()[i];
    default:
      throw InternalError("integers of the type " + std::string(name_of(tensor.type.dtype)));
  }
}

void add_constants_read(const JudgeGraph& graph, const ir::Graph& realized, std::set<ValueId>& into) {
  for (const JudgeWeights& its : graph.weights) into.insert({its.integers.q, its.integers.scale, its.integers.zero_point});
  for (const JudgeSum& its : graph.sums) {
    into.insert({its.sum.weight, its.sum.weight_scale, its.sum.step, its.sum.bias, its.sum.float_bias, graph.integers_of(its.sum.x).scale});
    if (its.weights) into.insert({its.weights->q, its.weights->scale});
  }
  for (const JudgeSite& site : graph.sites) into.insert({site.x.scale, site.x.zero_point, site.x2.scale});
  for (const Node& node : realized.nodes()) {
    if (node.op->name != "lookup") continue;
    into.insert(node.operands[1]);
    const Node* table = realized.producer(node.operands[1]);
    if (table != nullptr) into.insert(table->operands.begin(), table->operands.end());
  }
}

void judge_constants(const JudgeGraph& graph, const ir::Graph& simulated, const ir::Graph& realized, const runtime::Tensors& states,
                     const runtime::Executor& constants, const Judge::Values& values, std::vector<Judgement>& into) {
  Constants(graph, simulated, realized, states, constants, values, into).run();
}

}  // namespace stair::verification
