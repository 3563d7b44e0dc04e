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

// An activation function in double precision, as docs/format-sir.md states it, and what float32 may be off:
// slope u |x| + roundings u (|x| + |y|).
struct ScalarFunction {
  std::function<double(double x, double parameter)> of;
  double slope = 1.5, roundings = 8;
};

const ScalarFunction& function_of(const ir::Node& table) {
  static const std::map<std::string, ScalarFunction, std::less<>> functions{
      {"identity", {[](double x, double) { return x; }, 1, 0}},
      {"relu", {[](double x, double) { return std::max(x, 0.0); }, 1, 0}},
      {"relu6", {[](double x, double) { return std::clamp(x, 0.0, 6.0); }}},
      {"leaky_relu", {[](double x, double slope) { return x > 0 ? x : x * slope; }}},
      {"sigmoid", {[](double x, double) { return 1 / (1 + std::exp(-x)); }}},
      {"tanh", {[](double x, double) { return std::tanh(x); }}},
      {"gelu", {[](double x, double) { return x / 2 * std::erfc(-x / std::numbers::sqrt2); }}},
      {"hard_sigmoid", {[](double x, double) { return std::clamp(x + 3, 0.0, 6.0) / 6; }}},
      {"hard_swish", {[](double x, double) { return x * std::clamp(x + 3, 0.0, 6.0) / 6; }}},
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
  const double parameter = parameters.empty() ? 0 : parameters.front();
  const double slope = std::max(function.slope, std::abs(parameter));
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
    const double out = function.of(in, parameter);
    const double error = slope * float_unit * std::abs(in) + function.roundings * float_unit * (std::abs(in) + std::abs(out));
    const double t = out / y_scale;
    const std::int64_t index = q + site.table_offset;
    const std::int64_t found = integer_at(entries, index) - y_zero;
    count(of, index, integer_verdict(found, t, error / y_scale + float_unit * std::abs(t), low, high), static_cast<double>(found));
  }
  all.into.push_back(std::move(of));
}

}  // namespace

void lookup(OpJudgeRegistry& registry) {
  registry.add({.name = "lookup", .activations = OpJudge::Activations{OpJudge::Activations::Reads::integers, looked_up, judge_table}});
}

}  // namespace stair::verification::judges
