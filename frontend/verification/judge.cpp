#include "frontend/verification/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "frontend/compile.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/judge_graph.h"
#include "frontend/verification/site_check.h"
#include "ir/error.h"
#include "ir/op.h"
#include "passes/analysis.h"

namespace stair::verification {
namespace {

using ir::TensorView;
using ir::ValueId;

const double* numbers(const runtime::Executor& executor, const std::string& name) {
  return name.empty() ? nullptr : executor.output(name).as<double>();
}

}  // namespace

struct Judge::Impl {
  ir::Graph simulated;
  passes::Result realized;
  const runtime::Tensors& states;
  JudgeGraph graph;
  runtime::Tensors no_states;
  int threads;
  std::optional<runtime::Executor> constants, activations;  // once something is judged
  std::vector<runtime::Tensor> inputs;
  std::map<const ir::Node*, JudgedRanges> ranges;
  std::vector<ValueId> constant_values, activation_values;
  std::vector<double> filling;
  bool filled = false;
  bool changed = true;  // inputs, since the last run over images

  Impl(const ir::Graph& its_simulated, const passes::Result& its_realized, const runtime::Tensors& its_states, int its_threads)
      : simulated(its_simulated), realized(its_realized), states(its_states), graph(simulated, realized), threads(its_threads) {}

  // Everything of the realized graph that is read, in two lists by whether an image reaches it.
  void list_reads() {
    std::set<ValueId> fixed;
    std::set<ValueId> flowing;
    for (const JudgeFeed& feed : graph.feeds) (feed.constant ? fixed : flowing).insert({feed.q, feed.scale, feed.zero_point});
    for (const JudgeSite& site : graph.sites) {
      flowing.insert(site.integers.q);
      fixed.insert({site.integers.scale, site.integers.zero_point});
      if (site.kind == JudgeSite::Kind::exact || site.kind == JudgeSite::Kind::order) continue;
      for (const ValueId operand : site.made->operands) {
        const ir::Node* from = operand == ir::absent ? nullptr : realized.graph.producer(operand);
        if (from != nullptr && !from->operands.empty()) fixed.insert(from->operands.begin(), from->operands.end());
        fixed.insert(operand);
      }
    }
    for (const JudgeFloats& floats : graph.floats) flowing.insert(floats.realized);
    add_constants_read(graph, fixed);
    const std::vector<bool> depends = passes::depends_on_inputs(realized.graph);
    const auto reached = [&](ValueId value) { return value != ir::absent && depends[static_cast<std::size_t>(value)]; };
    for (const ValueId value : flowing) {
      if (reached(value)) activation_values.push_back(value);
    }
    fixed.insert(flowing.begin(), flowing.end());
    for (const ValueId value : fixed) {
      if (value != ir::absent && !reached(value)) constant_values.push_back(value);
    }
  }

  void fill(std::size_t i, std::span<const TensorView> images, const Values& values) {
    const JudgeFeed& feed = graph.feeds[i];
    if (inputs[i].type().dtype == ir::DType::i32) {
      const TensorView from = feed.kind == JudgeFeed::Kind::images ? images[feed.input] : values(feed.q);
      if (std::memcmp(inputs[i].view().data, from.data, inputs[i].bytes()) == 0) return;
      std::memcpy(inputs[i].view().data, from.data, inputs[i].bytes());
      changed = true;
      return;
    }
    double* into = inputs[i].as<double>();
    const std::int64_t count = inputs[i].count();
    filling.resize(static_cast<std::size_t>(count));
    compute(feed, filling.data(), count, images, values);
    if (std::memcmp(into, filling.data(), filling.size() * sizeof(double)) == 0) return;
    std::memcpy(into, filling.data(), filling.size() * sizeof(double));
    changed = true;
  }

  void compute(const JudgeFeed& feed, double* out, std::int64_t count, std::span<const TensorView> images, const Values& values) const {
    if (feed.kind == JudgeFeed::Kind::images || feed.kind == JudgeFeed::Kind::state) {
      const float* from =
          feed.kind == JudgeFeed::Kind::images ? images[feed.input].as<float>() : states.find(feed.state)->second.as<float>();
      for (std::int64_t n = 0; n < count; ++n) out[n] = static_cast<double>(from[n]);
      return;
    }
    const TensorView q = values(feed.q);
    const std::int64_t per_q = count / q.count();
    if (feed.kind == JudgeFeed::Kind::floats) {
      for (std::int64_t n = 0; n < count; ++n) out[n] = static_cast<double>(q.as<float>()[n / per_q]);
      return;
    }
    const std::int64_t zero_point = feed.zero_point == ir::absent ? 0 : integer_at(values(feed.zero_point), 0);
    for (std::int64_t n = 0; n < count; ++n) out[n] = static_cast<double>(integer_at(q, n / per_q) - zero_point);
    if (feed.scale == ir::absent) return;
    const TensorView scale = values(feed.scale);
    const std::int64_t per_scale = count / scale.count();
    for (std::int64_t n = 0; n < count; ++n) out[n] *= static_cast<double>(scale.as<float>()[n / per_scale]);
  }

  void run(std::optional<runtime::Executor>& executor, const ir::Graph& its) {
    if (!executor) executor.emplace(frontend::executor_for(its, no_states, {{&backends::named("reference")}, threads, 0}));
    std::vector<TensorView> views;
    for (runtime::Tensor& input : inputs) views.push_back(input.view());
    executor->run(views);
  }

  void fill_constants(const Values& values) {
    for (std::size_t i = 0; i < graph.feeds.size(); ++i) {
      if (graph.feeds[i].constant) fill(i, {}, values);
    }
    filled = true;
  }
};

namespace {

// Where the first of the largest stands, or what is as large as far as the bounds of floats tell.
Expected expected_order(const JudgeSite& site, const ir::Shape& shape, const TensorView& found, const SiteCheck& check) {
  const double* x = check.computed(site.number.value);
  const double* error = check.computed(site.number.error);
  const std::int64_t axis = site.root->attributes.integer("axis");
  const std::size_t d = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  std::int64_t inner = 1;
  for (std::size_t i = d + 1; i < shape.size(); ++i) inner *= shape[i];
  return [=, n = shape[d]](std::int64_t i) {
    const std::int64_t first = i / inner * n * inner + i % inner;
    const auto at = [&](std::int64_t k) { return first + k * inner; };
    std::int64_t best = 0;
    for (std::int64_t k = 1; k < n; ++k) best = x[at(k)] > x[at(best)] ? k : best;
    const std::int64_t is = integer_at(found, i);
    if (error == nullptr || is < 0 || is >= n) return exactly(best);
    const bool ties = x[at(is)] + error[at(is)] >= x[at(best)] - error[at(best)];
    return ties ? Interval{std::min(is, best), best, std::max(is, best)} : exactly(best);
  };
}

// The integer that each element of the site has to be. Without a judge others alone decide.
Expected expected_of(const JudgeSite& site, const ir::Graph& simulated, const Judge::Values& values, const runtime::Executor& executor) {
  const SiteCheck check(site, values, executor);
  if (site.kind == JudgeSite::Kind::order)
    return expected_order(site, simulated.type(site.root->operands.front()).shape, values(site.integers.q), check);
  if (site.judge != nullptr) return site.judge->expected(check);
  const double* x = check.computed(site.number.value);
  return [x, count = site.count, zero_point = check.zero_point](std::int64_t i) {
    return exactly(static_cast<std::int64_t>(std::nearbyint(x[i] * count)) + zero_point);
  };
}

void count_element(Judgement& into, const Interval& expected, std::int64_t found, std::int64_t image, std::int64_t index,
                   const std::string& op) {
  if (found == expected.nearest) return;
  if (found >= expected.least && found <= expected.most) {
    ++into.near_ties;
    return;
  }
  ++into.wrong;
  if (!into.first) into.first = Difference{into.node, op, image, index, static_cast<double>(expected.nearest), static_cast<double>(found)};
}

}  // namespace

Judge::Judge(const ir::Graph& simulated, const passes::Result& realized, const runtime::Tensors& states, int threads)
    : impl_(std::make_unique<Impl>(simulated, realized, states, threads)) {
  impl_->list_reads();
  for (const ValueId input : impl_->graph.activations.inputs()) impl_->inputs.emplace_back(impl_->graph.activations.type(input));
}

Judge::~Judge() = default;

const std::vector<ValueId>& Judge::constants() const {
  return impl_->constant_values;
}
const std::vector<ValueId>& Judge::activations() const {
  return impl_->activation_values;
}

void Judge::judge_constants(const Values& values, std::vector<Judgement>& into) {
  impl_->fill_constants(values);
  Impl& impl = *impl_;
  impl.run(impl.constants, impl.graph.constants);
  Constants all{impl.graph, impl.simulated, impl.realized.graph, impl.states, *impl.constants, values, impl.ranges, into};
  stair::verification::judge_constants(all);
}

void Judge::judge(std::span<const TensorView> inputs, const Values& values, std::int64_t first_image, std::int64_t count,
                  std::vector<Judgement>& into) {
  Impl& impl = *impl_;
  if (!impl.filled) impl.fill_constants(values);
  for (std::size_t i = 0; i < impl.graph.feeds.size(); ++i) {
    if (!impl.graph.feeds[i].constant) impl.fill(i, inputs, values);
  }
  // Backends mostly agree, also on what is behind floats.
  if (impl.changed) impl.run(impl.activations, impl.graph.activations);
  impl.changed = false;
  const std::size_t all = impl.graph.sites.size() + impl.graph.floats.size();
  if (all > 0 && (into.empty() || into.back().constant)) {
    for (const JudgeSite& site : impl.graph.sites) {
      const bool is_sum = site.integers.scale == ir::absent && site.integers.zero_point == ir::absent;
      into.push_back({site.name, is_sum ? "sum" : "activation", false, site.integers.q});
    }
    for (const JudgeFloats& floats : impl.graph.floats) into.push_back({floats.name, "floats", false, floats.realized});
  }
  const std::size_t begin = into.size() - all;
  for (std::size_t n = 0; n < impl.graph.sites.size(); ++n) {
    const JudgeSite& site = impl.graph.sites[n];
    Judgement& judgement = into[begin + n];
    const TensorView q = values(site.integers.q);
    const Expected expected = expected_of(site, impl.simulated, values, *impl.activations);
    if (site.constant && first_image > 0) continue;
    const std::int64_t per_image = site.constant ? q.count() : q.count() / inputs.front().dim(0);
    const std::int64_t elements = per_image * (site.constant ? 1 : count);
    judgement.elements += elements;
    for (std::int64_t i = 0; i < elements; ++i) {
      count_element(judgement, expected(i), integer_at(q, i), first_image + i / per_image, i % per_image, site.made->op->name);
    }
  }
  for (std::size_t n = 0; n < impl.graph.floats.size(); ++n) {
    const JudgeFloats& floats = impl.graph.floats[n];
    Judgement& judgement = into[begin + impl.graph.sites.size() + n];
    const double* expected = numbers(*impl.activations, floats.number.value);
    const double* error = numbers(*impl.activations, floats.number.error);
    const TensorView found = values(floats.realized);
    const std::int64_t per_image = found.count() / inputs.front().dim(0);
    judgement.elements += per_image * count;
    for (std::int64_t i = 0; i < per_image * count; ++i) {
      const double bound = (error == nullptr ? 0 : error[i]) + 0x1p-40 * std::abs(expected[i]) + 0x1p-126;
      const auto is = static_cast<double>(found.as<float>()[i]);
      if (std::abs(is - expected[i]) <= bound) continue;
      ++judgement.wrong;
      if (!judgement.first)
        judgement.first = Difference{floats.name, "output", first_image + i / per_image, i % per_image, expected[i], is};
    }
  }
}

}  // namespace stair::verification
