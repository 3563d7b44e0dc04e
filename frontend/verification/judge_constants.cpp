#include "frontend/verification/judge_constants.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/verdict.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::verification {
namespace {

using ir::TensorView;
using ir::ValueId;

// N-REQ: the range that an activation narrows.
void judge_clamp(Constants& all, const JudgeSite& site) {
  Judgement of{site.name, "clamp", true};
  const ValueId range = operand_named(*site.made, "range");
  if (range == ir::absent) {
    count(of, 0, {false, 0}, 0);
  } else {
    const double s = all.number(site.integers.scale);
    const auto zero_point = static_cast<double>(all.integer(site.integers.zero_point));
    const double low = site.range.lo - zero_point;
    const double high = site.range.hi - zero_point;
    const auto end = [&](std::int64_t index, std::optional<double> bound, double without) {
      const auto found = static_cast<double>(integer_at(all.values(range), index));
      if (!bound) return count(of, index, {found == without + zero_point, without + zero_point}, found);
      const double t = *bound / s;
      const auto steps = static_cast<std::int64_t>(found - zero_point);
      count(of, index, integer_verdict(steps, t, 2 * float_unit * std::abs(t), low, high), static_cast<double>(steps));
    };
    const ir::OpSchema::Clamp clamp = *clamp_by(*site.clamp);
    end(0, clamp.low, low);
    end(1, clamp.high, high);
  }
  all.into.push_back(std::move(of));
}

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

double Constants::number(ValueId value, std::int64_t i) const {
  const TensorView its = values(value);
  return static_cast<double>(its.as<float>()[its.count() == 1 ? 0 : i]);
}

std::int64_t Constants::integer(ValueId value, std::int64_t i) const {
  const TensorView its = values(value);
  return integer_at(its, its.count() == 1 ? 0 : i);
}

const double* Constants::computed(const std::string& output) const {
  return output.empty() ? nullptr : executor.output(output).as<double>();
}

const runtime::Tensor* Constants::state(ValueId simulated_value) const {
  const auto it = states.find(simulated.value(simulated_value).name);
  return simulated.state(simulated_value) == nullptr || it == states.end() ? nullptr : &it->second;
}

void Constants::judge_equal(const std::string& node, const char* what, double found, double expected) {
  into.push_back({node, what, true});
  count(into.back(), 0, {found == expected, expected}, found);
}

JudgedWeights::JudgedWeights(const Constants& constants, const JudgeWeights& its)
    : name(constants.simulated.value(its.fake->operands[0]).name),
      q(constants.values(its.integers.q)),
      channels(constants.values(its.integers.scale).count()),
      length(q.count() / channels),
      w(constants.computed(its.number.value)),
      error(constants.computed(its.number.error)) {}

void add_constants_read(const JudgeGraph& graph, std::set<ValueId>& into) {
  for (const JudgeWeights& its : graph.weights) into.insert({its.integers.q, its.integers.scale, its.integers.zero_point});
  for (const JudgeSum& its : graph.sums) {
    into.insert({its.sum.weight, its.sum.weight_scale, its.sum.step, its.sum.bias, its.sum.float_bias, graph.integers_of(its.sum.x).scale});
    if (its.weights) into.insert({its.weights->q, its.weights->scale});
  }
  for (const JudgeSite& site : graph.sites) into.insert({site.x.scale, site.x.zero_point, site.x2.scale});
}

void judge_parameters(Constants& all, const ir::Node& fake, const std::string& name, const passes::Integers& its) {
  const ir::Node* node = all.simulated.producer(fake.operands[1]);
  if (node == nullptr) throw InternalError("'" + fake.name + "' has a scale that no node makes");
  judged_by(*node, &OpJudge::scales)(all, *node, name, its);
}

void judge_equal_steps(Constants& all, const JudgeWeights& its) {
  const JudgedWeights weights(all, its);
  judge_parameters(all, *its.fake, weights.name, its.integers);
  // 0 but of constants of the model, which are quantized as activations are.
  const std::int64_t zero_point = all.integer(its.integers.zero_point);
  const auto lo = static_cast<double>(its.fake->attributes.integer("lo") - zero_point);
  const auto hi = static_cast<double>(its.fake->attributes.integer("hi") - zero_point);
  Judgement of{weights.name, "weights", true};
  for (std::int64_t i = 0; i < weights.q.count(); ++i) {
    const double s = all.number(its.integers.scale, i / weights.length);
    const double t = weights.w[i] / s;
    const std::int64_t found = integer_at(weights.q, i) - zero_point;
    count(of, i, integer_verdict(found, t, weights.off(i) / s + float_unit * std::abs(t), lo, hi), static_cast<double>(found));
  }
  all.into.push_back(std::move(of));
}

void judge_constants(Constants& all) {
  for (const JudgeSite& site : all.graph.sites) {
    if (site.fake != nullptr) judge_parameters(all, *site.fake, site.name, site.integers);
  }
  for (const JudgeWeights& its : all.graph.weights) judged_by(*its.fake, &OpJudge::weights)(all, its);
  for (const JudgeSum& its : all.graph.sums) judge_sum(all, its);
  for (const JudgeSite& site : all.graph.sites) {
    if (site.clamp != nullptr) judge_clamp(all, site);
    if (site.judge != nullptr && site.judge->constants) site.judge->constants(all, site);
  }
}

}  // namespace stair::verification
