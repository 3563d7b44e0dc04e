#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/verification/judge_constants.h"
#include "frontend/verification/verdict.h"

// N-TERNARY: which weights are beyond the threshold, and the mean magnitude of those that were found to be.

namespace stair::verification::judges {
namespace {

void judge_ternary(Constants& all, const JudgeWeights& its) {
  const JudgedWeights weights(all, its);
  const double* w = weights.w;
  all.judge_equal(weights.name, "zero point", static_cast<double>(all.integer(its.integers.zero_point)), 0);
  Judgement of_scale{weights.name, "scale", true};
  Judgement of_weights{weights.name, "weights", true};
  for (std::int64_t c = 0; c < weights.channels; ++c) {
    const std::int64_t begin = c * weights.length;
    const std::int64_t end = begin + weights.length;
    double sum = 0;
    double error = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      sum += std::abs(w[i]);
      error += weights.off(i);
    }
    const double threshold = 0.7 * sum / static_cast<double>(weights.length);
    const double blur = 0.7 * error / static_cast<double>(weights.length) + 2 * float_unit * threshold;
    double beyond = 0;
    double beyond_error = 0;
    double number_beyond = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t found = integer_at(weights.q, i);
      const std::int64_t expected = std::abs(w[i]) <= threshold ? 0 : w[i] > 0 ? 1 : -1;
      const bool tie = std::abs(std::abs(w[i]) - threshold) <= blur + weights.off(i) && (found == 0 || found == (w[i] > 0 ? 1 : -1));
      count(of_weights, i, {found == expected || tie, static_cast<double>(expected), tie && found != expected}, static_cast<double>(found));
      if (found == 0) continue;
      beyond += std::abs(w[i]);
      beyond_error += weights.off(i);
      ++number_beyond;
    }
    const double mean = number_beyond > 0 ? beyond / number_beyond : 1;
    const double found = all.number(its.integers.scale, c);
    count(of_scale, c, number_verdict(found, mean, beyond_error / std::max(number_beyond, 1.0) + 2 * float_unit * mean), found);
  }
  all.into.push_back(std::move(of_scale));
  all.into.push_back(std::move(of_weights));
}

}  // namespace

void ternary(OpJudgeRegistry& registry) {
  registry.add({.name = "fake_ternarize", .weights = judge_ternary});
}

}  // namespace stair::verification::judges
