#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/judge_constants.h"
#include "frontend/verification/verdict.h"
#include "ir/error.h"

// N-PARAM: quantizers whose scale and zero point follow from a range.

namespace stair::verification::judges {
namespace {

// Of the states of an observer, or of what makes a range.
const JudgedRanges& ranges_of(const Constants& all, const ir::Node& parameters) {
  const auto known = all.ranges.find(&parameters);
  if (known != all.ranges.end()) return known->second;
  const runtime::Tensor* low = all.state(parameters.operands[0]);
  const runtime::Tensor* high = all.state(parameters.operands[1]);
  JudgedRanges made;
  if (low != nullptr && high != nullptr) {
    made.push_back({JudgedRange{static_cast<double>(*low->as<float>()), static_cast<double>(*high->as<float>())}});
  } else {
    const ir::Node* from = all.simulated.producer(parameters.operands[0]);
    if (from == nullptr) throw InternalError("'" + parameters.name + "' has a range that nothing makes");
    made = judged_by(*from, &OpJudge::ranges)(all, *from);
  }
  return all.ranges[&parameters] = std::move(made);
}

// Of several ranges that may be, one has to have both.
void judge_affine(Constants& all, const ir::Node& node, const std::string& name, const passes::Integers& its) {
  const JudgedRanges& ranges = ranges_of(all, node);
  const auto lo = static_cast<double>(node.attributes.integer("lo"));
  const auto hi = static_cast<double>(node.attributes.integer("hi"));
  const bool symmetric = node.attributes.boolean("symmetric");
  const auto scale_of = [&](double found, const JudgedRange& range) {
    const double least = std::min(range.low, 0.0);
    const double most = std::max(range.high, 0.0);
    return scale_verdict(found, symmetric ? std::max(-least, most) : most - least, symmetric ? hi : hi - lo,
                         symmetric ? range.error : 2 * range.error, node.attributes.boolean("power_of_two"));
  };
  const auto zero_point_of = [&](std::int64_t zero_point, double s, const JudgedRange& range) {
    const double least = std::min(range.low, 0.0) / s;
    const double t = symmetric ? 0 : lo - least;
    return integer_verdict(zero_point, t, range.error / s + float_unit * (std::abs(least) + std::abs(t)), symmetric ? 0 : lo,
                           symmetric ? 0 : hi);
  };
  Judgement of_scale{name, "scale", true};
  Judgement of_zero_point{name, "zero point", true};
  const std::int64_t zero_point = all.integer(its.zero_point);
  for (std::int64_t c = 0; c < all.values(its.scale).count(); ++c) {
    const double s = all.number(its.scale, c);
    const std::vector<JudgedRange>& may = ranges[static_cast<std::size_t>(c)];
    const auto fit = [&](const JudgedRange& range) {
      return !scale_of(s, range).right ? 0 : zero_point_of(zero_point, s, range).right ? 2 : 1;
    };
    const JudgedRange& range =
        *std::max_element(may.begin(), may.end(), [&](const JudgedRange& a, const JudgedRange& b) { return fit(a) < fit(b); });
    count(of_scale, c, scale_of(s, range), s);
    if (c == 0) count(of_zero_point, 0, zero_point_of(zero_point, s, range), static_cast<double>(zero_point));
  }
  all.into.push_back(std::move(of_scale));
  all.into.push_back(std::move(of_zero_point));
}

JudgedRanges weight_ranges(const Constants& all, const ir::Node& node) {
  const auto its = std::find_if(all.graph.weights.begin(), all.graph.weights.end(),
                                [&](const JudgeWeights& weights) { return weights.fake->operands[0] == node.operands[0]; });
  if (its == all.graph.weights.end()) throw InternalError("'" + node.name + "' is the range of no weights");
  const JudgedWeights weights(all, *its);
  const std::int64_t channels = all.simulated.type(node.results[0]).shape[0];
  const std::int64_t length = weights.q.count() / channels;
  JudgedRanges made;
  for (std::int64_t c = 0; c < channels; ++c) {
    JudgedRange range{weights.w[c * length], weights.w[c * length]};
    for (std::int64_t i = c * length; i < (c + 1) * length; ++i) {
      range.low = std::min(range.low, weights.w[i]);
      range.high = std::max(range.high, weights.w[i]);
      range.error = std::max(range.error, weights.off(i));
    }
    made.push_back({range});
  }
  return made;
}

}  // namespace

void uniform(OpJudgeRegistry& registry) {
  registry.add({.name = "affine_parameters", .scales = judge_affine});
  registry.add({.name = "weight_range", .ranges = weight_ranges});
  registry.add({.name = "fake_quantize", .weights = judge_equal_steps});
}

}  // namespace stair::verification::judges
