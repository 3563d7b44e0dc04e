#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <string>
#include <utility>

#include "frontend/verification/judge_constants.h"
#include "frontend/verification/site_check.h"
#include "frontend/verification/verdict.h"
#include "ir/error.h"

// N-POINT with one operand: a table, each entry of which is held against double precision, and which is then looked up.

namespace stair::verification::judges {
namespace {

// A function in double precision, as docs/deployed-ops.md states it, and what float32 may be off:
// slope u |x| + roundings u (|x| + |y|); where the slope has no bound, its condition |x f'(x)| u + roundings u |y|.
struct ScalarFunction {
  std::function<double(double x, double a, double b)> of;
  double slope = 1.5, roundings = 8;
  std::function<double(double x, double y)> condition = {};
};

const ScalarFunction& function_of(const ir::Node& table) {
  static const std::map<std::string, ScalarFunction, std::less<>> functions{
      {"identity", {[](double x, double, double) { return x; }, 1, 0}},
      {"relu", {[](double x, double, double) { return std::max(x, 0.0); }, 1, 0}},
      {"relu6", {[](double x, double, double) { return std::clamp(x, 0.0, 6.0); }}},
      {"clip", {[](double x, double low, double high) { return std::clamp(x, low, high); }}},
      {"hard_tanh", {[](double x, double low, double high) { return std::clamp(x, low, high); }}},
      {"leaky_relu", {[](double x, double slope, double) { return x > 0 ? x : x * slope; }}},
      {"elu", {[](double x, double alpha, double) { return x > 0 ? x : alpha * std::expm1(x); }}},
      {"sigmoid", {[](double x, double, double) { return 1 / (1 + std::exp(-x)); }}},
      {"tanh", {[](double x, double, double) { return std::tanh(x); }}},
      {"gelu", {[](double x, double, double) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); }}},
      {"hard_sigmoid", {[](double x, double, double) { return std::clamp(x + 3, 0.0, 6.0) / 6; }}},
      {"hard_swish", {[](double x, double, double) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }}},
      {"silu", {[](double x, double, double) { return x / (1 + std::exp(-x)); }}},
      {"softplus", {[](double x, double, double) { return x > 30 ? x : std::log1p(std::exp(x)); }}},
      {"mish", {[](double x, double, double) { return x > 30 ? x : x * std::tanh(std::log1p(std::exp(x))); }}},
      {"negate", {[](double x, double, double) { return -x; }, 1, 0}},
      {"abs", {[](double x, double, double) { return std::abs(x); }, 1, 0}},
      {"square", {[](double x, double, double) { return x * x; }, 0, 4, [](double, double y) { return 2 * y; }}},
      {"sqrt", {[](double x, double, double) { return std::sqrt(x); }, 0, 4, [](double, double y) { return y / 2; }}},
      {"exp", {[](double x, double, double) { return std::exp(x); }, 0, 4, [](double x, double y) { return std::abs(x) * y; }}},
      {"log", {[](double x, double, double) { return std::log(x); }, 0, 4, [](double, double) { return 1.0; }}},
  };
  const std::string& function = table.attributes.text("function");
  const auto it = functions.find(function);
  if (it == functions.end()) throw Error("verify knows no function '" + function + "', of which '" + table.name + "' is a table");
  return it->second;
}

Expected looked_up(const SiteCheck& check) {
  const double* x = check.computed(check.site.number.value);
  const ir::TensorView table = check.operand("table").tensor;
  const std::int64_t zero = integer_at(check.values(check.site.x.zero_point), 0) + check.site.table_offset;
  return [=](std::int64_t i) { return exactly(integer_at(table, static_cast<std::int64_t>(x[i]) + zero)); };
}

void judge_table(Constants& all, const JudgeSite& site) {
  const ir::ValueId table = operand_named(*site.made, "table");
  const ir::Node& made = *all.realized.producer(table);
  const ScalarFunction& function = function_of(made);
  // The one that stands in the simulated graph: of a concatenation, none.
  const std::string& meant = site.root == nullptr ? "identity" : site.root->op->integer.function;
  if (made.attributes.text("function") != meant) throw Error("'" + made.name + "' is a table of another function than '" + meant + "'");
  const std::vector<double>& parameters = made.attributes.numbers("parameters");
  const double a = parameters.empty() ? 0 : parameters[0];
  const double b = parameters.size() < 2 ? 0 : parameters[1];
  const double slope = std::max({function.slope, std::abs(a), std::abs(b)});
  const double x_scale = all.number(site.x.scale);
  const double y_scale = all.number(site.integers.scale);
  const auto x_zero = static_cast<double>(all.integer(site.x.zero_point));
  const std::int64_t y_zero = all.integer(site.integers.zero_point);
  const auto low = static_cast<double>(made.attributes.integer("lo") - y_zero);
  const auto high = static_cast<double>(made.attributes.integer("hi") - y_zero);
  Judgement of{site.made->name, "table", true};
  const ir::TensorView entries = all.values(table);
  for (std::int64_t q = made.attributes.integer("x_lo"); q <= made.attributes.integer("x_hi"); ++q) {
    const double in = (static_cast<double>(q) - x_zero) * x_scale;
    const double out = function.of(in, a, b);
    const double moved = function.condition ? function.condition(in, out) : slope * std::abs(in);
    const double rounded = function.roundings * (function.condition ? std::abs(out) : std::abs(in) + std::abs(out));
    // What is no number, or infinite, is an end of the range, whatever roundings do (a NaN the lower one).
    const bool finite = std::isfinite(out);
    const double t = finite ? out / y_scale : std::clamp(out, low, high);
    const double error = finite ? float_unit * ((moved + rounded) / y_scale + std::abs(t)) : 0;
    const std::int64_t index = q + site.table_offset;
    const std::int64_t found = integer_at(entries, index) - y_zero;
    count(of, index, integer_verdict(found, t, error, low, high), static_cast<double>(found));
  }
  all.into.push_back(std::move(of));
}

}  // namespace

void lookup(OpJudgeRegistry& registry) {
  registry.add({.name = "lookup", .activations = OpJudge::Activations{OpJudge::Activations::Reads::integers, looked_up, judge_table}});
}

}  // namespace stair::verification::judges
