#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "runtime/metric.h"

namespace stair::runtime::metrics_ {

/// The area under the receiver operating characteristic: the share of the pairs of a positive and a negative example in which the positive
/// has the larger score, equal scores counting half (Fawcett 2006, section 7). 0.5 where there are no such pairs. Counts hold a score for
/// each example, then 1 or 0 for each.
inline double area_under_curve(std::int64_t examples, const Counts& counts) {
  std::vector<std::pair<double, bool>> ranked;
  for (std::int64_t i = 0; i < examples; ++i) ranked.emplace_back(kept(counts, i), counts[static_cast<std::size_t>(examples + i)] != 0);
  std::sort(ranked.begin(), ranked.end());
  std::int64_t positives = 0, negatives = 0;
  double wins = 0;
  for (std::size_t i = 0; i < ranked.size();) {
    std::int64_t equal[2] = {0, 0};
    const double score = ranked[i].first;
    for (; i < ranked.size() && ranked[i].first == score; ++i) ++equal[ranked[i].second ? 1 : 0];
    wins += static_cast<double>(equal[1]) * (static_cast<double>(negatives) + static_cast<double>(equal[0]) / 2);
    negatives += equal[0];
    positives += equal[1];
  }
  if (positives == 0 || negatives == 0) return 0.5;
  return wins / static_cast<double>(positives) / static_cast<double>(negatives);
}

inline std::int64_t score_and_side(const Measured& all) {
  return 2 * all.examples();
}

inline Score finish_ranking(const Measured& all, const Counts& counts) {
  return {area_under_curve(all.examples(), counts)};
}

/// What is no number has the largest score.
inline void rank(const Measured& all, std::int64_t example, double score, bool positive, Counts& into) {
  keep(into, example, std::isnan(score) ? std::numeric_limits<double>::infinity() : score);
  into[static_cast<std::size_t>(all.examples() + example)] = positive ? 1 : 0;
}

}  // namespace stair::runtime::metrics_
