#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

struct Reduction {
  const char* name;
  const char* layer;
  const char* before;  ///< a layer of one input, or nullptr
  const char* after;
  std::int64_t opset_of_input;  ///< from which on axes are an input
  double first;
  double (*step)(double, double);
  double (*last)(double sum, double count);
};

// The axes, from 0 on and in order; nothing where the node does nothing.
std::optional<std::vector<std::int64_t>> axes_of(NodeContext& c, const Reduction& reduction) {
  const std::size_t rank = c.input(0).shape.size();
  std::vector<std::int64_t> axes = c.list_until(reduction.opset_of_input, "axes", 1).value_or(std::vector<std::int64_t>{});
  const bool none = c.integer("noop_with_empty_axes", 0) != 0;
  if (axes.empty() && none) return std::nullopt;
  if (axes.empty()) {
    axes.resize(rank);
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
  }
  for (std::int64_t& axis : axes) axis = c.axis(axis, rank);
  std::sort(axes.begin(), axes.end());
  return axes;
}

ir::Shape without(const ir::Shape& shape, const std::vector<std::int64_t>& axes, bool keeps) {
  ir::Shape left;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const bool reduced = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) != axes.end();
    if (!reduced) left.push_back(shape[d]);
    if (reduced && keeps) left.push_back(1);
  }
  return left;
}

void import_reduction(NodeContext& c, const Reduction& reduction) {
  Value x = c.floats(0);
  const bool keeps = c.integer("keepdims", 1) != 0;
  const std::optional<std::vector<std::int64_t>> axes = axes_of(c, reduction);
  if (!axes && reduction.before == nullptr && reduction.after == nullptr) return c.yield(x);
  const std::string_view layer = reduction.layer;
  if (reduction.before != nullptr) x = c.emit(reduction.before, {x}, {}, {}, reduction.before);
  if (!axes) return c.yield(reduction.after == nullptr ? x : c.emit(reduction.after, {x}));
  // Over a whole picture, or sequence.
  const std::size_t rank = x.shape.size();
  const bool pictures =
      c.lead == 0 && ((rank == 4 && *axes == std::vector<std::int64_t>{2, 3}) || (rank == 3 && *axes == std::vector<std::int64_t>{2}));
  const bool pools = pictures && layer != "reduce_sum";
  const std::string suffix = reduction.after != nullptr || (pools && !keeps) ? "reduced" : "";
  Value y = pools ? c.emit(layer == "reduce_mean" ? "global_avg_pool" : "global_max_pool", {x}, {}, {}, suffix)
                  : c.emit(reduction.layer, {x}, {{"axes", c.layer_axes(*axes)}, {"keep", keeps}}, {}, suffix);
  if (pools && !keeps) y = c.emit_reshape(y, without(x.shape, *axes, false), reduction.after != nullptr ? "flat" : "");
  c.yield(reduction.after == nullptr ? y : c.emit(reduction.after, {y}));
}

void fold_reduction(NodeContext& c, const Reduction& reduction) {
  const Constant& x = c.constant(0, "data");
  const bool keeps = c.integer("keepdims", 1) != 0;
  const std::optional<std::vector<std::int64_t>> axes = axes_of(c, reduction);
  if (!axes) return c.yield(x);
  const ir::Shape kept = without(x.shape, *axes, true);
  Constant made = zeros(x.type, kept);
  std::vector<double> sums(static_cast<std::size_t>(made.count()), reduction.first);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double& sum = sums[static_cast<std::size_t>(broadcast_index(kept, x.shape, i))];
    sum = reduction.step(sum, x.number(i));
  }
  const double n = made.count() == 0 ? 0 : static_cast<double>(x.count()) / static_cast<double>(made.count());
  for (std::int64_t i = 0; i < made.count(); ++i) {
    const double sum = sums[static_cast<std::size_t>(i)];
    made.set(i, reduction.last == nullptr ? sum : reduction.last(sum, n));
  }
  made.shape = without(x.shape, *axes, keeps);
  c.yield(std::move(made));
}

double plus(double a, double b) {
  return a + b;
}

}  // namespace

void reductions(OperatorRegistry& registry) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto root = [](double sum, double) { return std::sqrt(sum); };
  const auto logarithm = [](double sum, double) { return std::log(sum); };
  const Reduction all[] = {
      {"ReduceMean", "reduce_mean", nullptr, nullptr, 18, 0, plus, [](double sum, double n) { return sum / n; }},
      {"ReduceSum", "reduce_sum", nullptr, nullptr, 13, 0, plus, nullptr},
      {"ReduceMax", "reduce_max", nullptr, nullptr, 18, -infinity, [](double a, double b) { return std::max(a, b); }, nullptr},
      {"ReduceMin", "reduce_max", "negate", "negate", 18, infinity, [](double a, double b) { return std::min(a, b); }, nullptr},
      {"ReduceL1", "reduce_sum", "abs", nullptr, 18, 0, [](double a, double b) { return a + std::abs(b); }, nullptr},
      {"ReduceL2", "reduce_sum", "square", "sqrt", 18, 0, [](double a, double b) { return a + b * b; }, root},
      {"ReduceSumSquare", "reduce_sum", "square", nullptr, 18, 0, [](double a, double b) { return a + b * b; }, nullptr},
      {"ReduceLogSum", "reduce_sum", nullptr, "log", 18, 0, plus, logarithm},
      {"ReduceLogSumExp", "reduce_sum", "exp", "log", 18, 0, [](double a, double b) { return a + std::exp(b); }, logarithm}};
  for (const Reduction& reduction : all) {
    std::string becomes = fmt::format("`{}`", reduction.layer);
    if (reduction.before != nullptr) becomes = fmt::format("`{}`, {}", reduction.before, becomes);
    if (reduction.after != nullptr) becomes += fmt::format(", `{}`", reduction.after);
    if (reduction.before == nullptr && reduction.layer != std::string("reduce_sum")) becomes += "; over a picture a global pool";
    registry.add({reduction.name, becomes, [reduction](NodeContext& c) { import_reduction(c, reduction); },
                  [reduction](NodeContext& c) { fold_reduction(c, reduction); }});
  }
  registry.add({"ReduceProd", "", {}, [](NodeContext& c) {
                  fold_reduction(c, {"ReduceProd", "", nullptr, nullptr, 18, 1, [](double a, double b) { return a * b; }, nullptr});
                }});
}

}  // namespace stair::frontend::onnx::ops
