#include <cmath>
#include <utility>

#include "frontend/verification/judge_constants.h"
#include "frontend/verification/verdict.h"

// N-PARAM: +1 and -1 by sign, which stand for themselves.

namespace stair::verification::judges {
namespace {

void judge_signs(Constants& all, const JudgeWeights& its) {
  const JudgedWeights weights(all, its);
  all.judge_equal(weights.name, "zero point", static_cast<double>(all.integer(its.integers.zero_point)), 0);
  all.judge_equal(weights.name, "scale", all.number(its.integers.scale), 1);
  Judgement of_weights{weights.name, "weights", true};
  for (std::int64_t i = 0; i < weights.q.count(); ++i) {
    const std::int64_t found = integer_at(weights.q, i);
    const bool tie = std::abs(weights.w[i]) <= weights.off(i) && std::abs(found) == 1;
    const std::int64_t expected = weights.w[i] >= 0 ? 1 : -1;
    count(of_weights, i, {tie || found == expected, static_cast<double>(expected)}, static_cast<double>(found));
  }
  all.into.push_back(std::move(of_weights));
}

}  // namespace

void binary(OpJudgeRegistry& registry) {
  registry.add({.name = "fake_binarize", .weights = judge_signs, .exact = true});
}

}  // namespace stair::verification::judges
