#include "ir/error.h"

#include <algorithm>
#include <numeric>

namespace stair {
namespace {

constexpr std::size_t longest_name = 100;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substitute, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view found, const std::vector<std::string>& candidates) {
  if (found.size() > longest_name) return "";  // no name that was mistyped
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(2, found.size() / 2) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > 2 * longest_name) continue;
    const std::size_t distance = edit_distance(found, candidate);
    if (distance < best_distance) {
      best = &candidate;
      best_distance = distance;
    }
  }
  return best == nullptr ? std::string() : " (did you mean '" + *best + "'?)";
}

std::string one_of(const std::vector<std::string>& candidates) {
  std::string text;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (i > 0) text += i + 1 == candidates.size() ? " or " : ", ";
    text += "'" + candidates[i] + "'";
  }
  return text;
}

}  // namespace stair
