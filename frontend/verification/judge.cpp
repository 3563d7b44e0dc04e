#include "frontend/verification/judge.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "frontend/compile.h"
#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/judge_graph.h"
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
  std::optional<runtime::Executor> constants, activations;
  std::vector<runtime::Tensor> inputs;
  std::vector<ValueId> constant_values, activation_values;
  std::vector<double> filling;
  bool filled = false;
  bool changed = true;  // inputs, since the last run over images

  Impl(const ir::Graph& its_simulated, const passes::Result& its_realized, const runtime::Tensors& its_states)
      : simulated(its_simulated), realized(its_realized), states(its_states), graph(simulated, realized) {}

  // Everything of the realized graph that is read, in two lists by whether an image reaches it.
  void list_reads() {
    std::set<ValueId> fixed;
    std::set<ValueId> flowing;
    for (const JudgeFeed& feed : graph.feeds) (feed.constant ? fixed : flowing).insert({feed.q, feed.scale, feed.zero_point});
    for (const JudgeSite& site : graph.sites) {
      flowing.insert(site.integers.q);
      fixed.insert({site.integers.scale, site.integers.zero_point});
      if (site.kind == JudgeSite::Kind::exact) continue;
      for (const ValueId operand : site.made->operands) {
        const ir::Node* from = operand == ir::absent ? nullptr : realized.graph.producer(operand);
        if (from != nullptr && !from->operands.empty()) fixed.insert(from->operands.begin(), from->operands.end());
        fixed.insert(operand);
      }
    }
    for (const JudgeFloats& floats : graph.floats) flowing.insert(floats.realized);
    add_constants_read(graph, realized.graph, fixed);
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

  void fill(std::size_t i, const TensorView* images, const Values& values) {
    const JudgeFeed& feed = graph.feeds[i];
    double* into = inputs[i].as<double>();
    const std::int64_t count = inputs[i].count();
    filling.resize(static_cast<std::size_t>(count));
    compute(feed, filling.data(), count, images, values);
    if (std::memcmp(into, filling.data(), filling.size() * sizeof(double)) == 0) return;
    std::memcpy(into, filling.data(), filling.size() * sizeof(double));
    changed = true;
  }

  void compute(const JudgeFeed& feed, double* out, std::int64_t count, const TensorView* images, const Values& values) const {
    if (feed.kind == JudgeFeed::Kind::images || feed.kind == JudgeFeed::Kind::state) {
      const float* from = feed.kind == JudgeFeed::Kind::images ? images->as<float>() : states.find(feed.state)->second.as<float>();
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

  void run(runtime::Executor& executor) {
    std::vector<TensorView> views;
    for (runtime::Tensor& input : inputs) views.push_back(input.view());
    executor.run(views);
  }

  void fill_constants(const Values& values) {
    for (std::size_t i = 0; i < graph.feeds.size(); ++i) {
      if (graph.feeds[i].constant) fill(i, nullptr, values);
    }
    filled = true;
  }
};

namespace {

// The rounding of numbers between low and high, in steps, with the clamp that the node takes in.
struct Interval {
  std::int64_t least, nearest, most;
};

struct SiteCheck {
  const JudgeSite& site;
  const Judge::Values& values;
  double scale;
  std::int64_t zero_point;
  double floor, ceiling_least, ceiling_most;  // in steps

  SiteCheck(const JudgeSite& its, const Judge::Values& from)
      : site(its),
        values(from),
        scale(its.integers.scale == ir::absent ? 1 : static_cast<double>(from(its.integers.scale).as<float>()[0])),
        zero_point(its.integers.zero_point == ir::absent ? 0 : integer_at(from(its.integers.zero_point), 0)),
        floor(static_cast<double>(its.range.lo - zero_point)),
        ceiling_least(static_cast<double>(its.range.hi - zero_point)),
        ceiling_most(ceiling_least) {
    if (site.clamp == nullptr) return;
    floor = std::max(floor, *site.clamp->op->clamp->low / scale);  // 0: what a clamp of ours begins at
    if (const auto& high = site.clamp->op->clamp->high) {
      const double steps = *high / scale;
      ceiling_least = std::min(ceiling_least, std::nearbyint(steps * (1 - 2 * float_unit)));
      ceiling_most = std::min(ceiling_most, std::nearbyint(steps * (1 + 2 * float_unit)));
    }
  }

  Interval around(double t, double error) const {
    const double room = error + 0x1p-40 * (1 + std::abs(t));
    return {zero_point + exact::nearest(t - room, floor, ceiling_least), zero_point + exact::nearest(t, floor, ceiling_most),
            zero_point + exact::nearest(t + room, floor, ceiling_most)};
  }
  // The range of an integer node with a clamp, which was held against double precision.
  std::pair<std::int64_t, std::int64_t> range(std::size_t operand) const {
    if (operand >= site.made->operands.size() || site.made->operands[operand] == ir::absent) return {site.range.lo, site.range.hi};
    const TensorView its = values(site.made->operands[operand]);
    return {integer_at(its, 0), integer_at(its, 1)};
  }
};

// By channel: one for all where there is one.
struct Channels {
  TensorView tensor;
  std::int64_t of(std::int64_t c) const { return tensor.count() == 1 ? 0 : c; }
  double number(std::int64_t c) const { return static_cast<double>(tensor.as<float>()[of(c)]); }
  std::int64_t integer(std::int64_t c) const { return integer_at(tensor, of(c)); }
};

Interval exactly(std::int64_t q) {
  return {q, q, q};
}

// The integer that element i of the site has to be.
using Expected = std::function<Interval(std::int64_t i)>;

Expected expected_of_sum(const SiteCheck& check, const runtime::Executor& executor, const Judge::Values& values) {
  const JudgeSite& site = check.site;
  const double* acc = numbers(executor, site.number.value);
  const bool average = site.kind == JudgeSite::Kind::average;
  const double count = site.count;
  const auto sum_of = [acc, average, count](std::int64_t i) { return average ? std::nearbyint(acc[i] * count) : acc[i]; };
  const bool fixed = site.made->op->name == "requantize_fixed";
  const std::size_t bias_operand = fixed ? 4 : 3;
  const auto& operands = site.made->operands;
  const bool has_bias = operands.size() > bias_operand && operands[bias_operand] != ir::absent;
  const Channels bias{has_bias ? values(operands[bias_operand]) : TensorView{}};
  const bool float_bias = has_bias && bias.tensor.type.dtype == ir::DType::f32;
  const std::int64_t channels = average ? 1 : values(site.sum->step).count();
  const std::int64_t inner = site.inner;
  const auto channel_of = [channels, inner](std::int64_t i) { return i / inner % channels; };
  const auto bias_of = [=](std::int64_t c) { return has_bias && !float_bias ? bias.integer(c) : 0; };
  // A bias may have channels where the step has one.
  const std::int64_t biases = has_bias ? bias.tensor.count() : 1;
  const auto bias_channel = [biases, inner](std::int64_t i) { return i / inner % biases; };
  if (fixed) {
    const Channels mantissa{values(operands[1])};
    const Channels shift{values(operands[2])};
    const auto [low, high] = check.range(5);
    const std::int64_t zero_point = check.zero_point;
    return [=, low = low, high = high](std::int64_t i) {
      const std::int64_t c = channel_of(i);
      const std::int64_t b = bias_channel(i);
      const auto total_of = static_cast<std::int64_t>(sum_of(i)) + bias_of(b);
      const auto by = static_cast<int>(shift.integer(c));
      if (!float_bias) return exactly(std::clamp(exact::rescale(total_of, mantissa.integer(c), by) + zero_point, low, high));
      const auto fine = static_cast<float>(exact::rescale(total_of, mantissa.integer(c), std::min(by + 8, 31)));
      const float t = fine / 256.0F + bias.tensor.as<float>()[bias.of(b)];
      return exactly(zero_point +
                     exact::nearest(static_cast<double>(t), static_cast<double>(low - zero_point), static_cast<double>(high - zero_point)));
    };
  }
  if (average) {
    const Channels multiplier{values(operands[1])};
    return [=](std::int64_t i) {
      const double t = sum_of(i) * multiplier.number(0);
      return check.around(t, 2 * float_unit * std::abs(t));
    };
  }
  const Channels step{values(site.sum->step)};
  const double scale = check.scale;
  return [=](std::int64_t i) {
    const std::int64_t c = channel_of(i);
    const double t = (sum_of(i) + static_cast<double>(bias_of(bias_channel(i)))) * step.number(c) / scale;
    if (!float_bias) return check.around(t, 3 * float_unit * std::abs(t));
    const double shifted = t + bias.number(bias_channel(i));
    return check.around(shifted, 3 * float_unit * std::abs(t) + float_unit * std::abs(shifted));
  };
}

Expected expected_of(const SiteCheck& check, const runtime::Executor& executor, const Judge::Values& values) {
  const JudgeSite& site = check.site;
  switch (site.kind) {
    case JudgeSite::Kind::sum:
    case JudgeSite::Kind::average:
      return expected_of_sum(check, executor, values);
    case JudgeSite::Kind::lookup: {
      const double* x = numbers(executor, site.number.value);
      const TensorView table = values(site.made->operands[1]);
      const std::int64_t zero = integer_at(values(site.x.zero_point), 0) + site.table_offset;
      return [x, table, zero](std::int64_t i) { return exactly(integer_at(table, static_cast<std::int64_t>(x[i]) + zero)); };
    }
    case JudgeSite::Kind::binary: {
      const double* a = numbers(executor, site.first.value);
      const double* b = numbers(executor, site.second.value);
      const Channels mantissa{values(site.made->operands[4])};
      const Channels shift{values(site.made->operands[5])};
      const auto [low, high] = check.range(7);
      const std::int64_t zero_point = check.zero_point;
      const bool product = site.made->op->name == "mul_fixed";
      const int sign = !product && site.made->attributes.boolean("subtract") ? -1 : 1;
      return [=, low = low, high = high](std::int64_t i) {
        const auto x = static_cast<std::int64_t>(a[i]);
        const auto y = static_cast<std::int64_t>(b[i]);
        const auto by = [&](std::int64_t value, std::int64_t n) {
          return exact::rescale(value, mantissa.integer(n), static_cast<int>(shift.integer(n)));
        };
        const std::int64_t q = product ? by(x * y, 0) : by(by(x * (1 << 20), 0) + sign * by(y * (1 << 20), 1), 2);
        return exactly(std::clamp(q + zero_point, low, high));
      };
    }
    case JudgeSite::Kind::exact: {
      const double* x = numbers(executor, site.number.value);
      const double count = site.count;
      const std::int64_t zero_point = check.zero_point;
      return [=](std::int64_t i) { return exactly(static_cast<std::int64_t>(std::nearbyint(x[i] * count)) + zero_point); };
    }
    case JudgeSite::Kind::floats:
      break;
  }
  const double* x = numbers(executor, site.number.value);
  const double* error = numbers(executor, site.number.error);
  const double scale = check.scale;
  return [=](std::int64_t i) {
    const double t = x[i] / scale;
    return check.around(t, (error == nullptr ? 0 : error[i] / scale) + float_unit * std::abs(t));
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
    : impl_(std::make_unique<Impl>(simulated, realized, states)) {
  impl_->list_reads();
  for (const ValueId input : impl_->graph.activations.inputs()) impl_->inputs.emplace_back(impl_->graph.activations.type(input));
  const frontend::CompileOptions options{{&backends::named("reference")}, threads, 0};
  impl_->constants.emplace(frontend::executor_for(impl_->graph.constants, impl_->no_states, options));
  impl_->activations.emplace(frontend::executor_for(impl_->graph.activations, impl_->no_states, options));
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
  impl_->run(*impl_->constants);
  stair::verification::judge_constants(impl_->graph, impl_->simulated, impl_->realized.graph, impl_->states, *impl_->constants, values,
                                       into);
}

void Judge::judge(const TensorView& images, const Values& values, std::int64_t first_image, std::int64_t count,
                  std::vector<Judgement>& into) {
  Impl& impl = *impl_;
  if (!impl.filled) impl.fill_constants(values);
  for (std::size_t i = 0; i < impl.graph.feeds.size(); ++i) {
    if (!impl.graph.feeds[i].constant) impl.fill(i, &images, values);
  }
  // Backends mostly agree, also on what is behind floats.
  if (impl.changed) impl.run(*impl.activations);
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
    const SiteCheck check(site, values);
    const Expected expected = expected_of(check, *impl.activations, values);
    const std::int64_t per_image = q.count() / images.dim(0);
    judgement.elements += per_image * count;
    for (std::int64_t i = 0; i < per_image * count; ++i) {
      count_element(judgement, expected(i), integer_at(q, i), first_image + i / per_image, i % per_image, site.made->op->name);
    }
  }
  for (std::size_t n = 0; n < impl.graph.floats.size(); ++n) {
    const JudgeFloats& floats = impl.graph.floats[n];
    Judgement& judgement = into[begin + impl.graph.sites.size() + n];
    const double* expected = numbers(*impl.activations, floats.number.value);
    const double* error = numbers(*impl.activations, floats.number.error);
    const TensorView found = values(floats.realized);
    const std::int64_t per_image = found.count() / images.dim(0);
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
