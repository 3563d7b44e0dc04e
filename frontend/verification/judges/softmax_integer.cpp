#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "frontend/verification/exact_integers.h"
#include "frontend/verification/judge_constants.h"
#include "frontend/verification/site_check.h"
#include "frontend/verification/verdict.h"

// N-SOFTMAX: the table's entries are held against double precision, the rest against a second evaluation.

namespace stair::verification::judges {
namespace {

using exact::Wide;

// Of each element of a row T[max - q], scaled to the result as the clause says.
void judge_row(const std::vector<std::int64_t>& entries, std::int64_t mantissa, int shift, std::vector<std::int64_t>& steps) {
  Wide sum = 0;
  for (const std::int64_t entry : entries) sum += entry;
  const Wide factor = Wide{mantissa} * (Wide{1} << 25) / sum;
  const int e = 56 - shift;
  steps.clear();
  for (const std::int64_t entry : entries)
    steps.push_back(static_cast<std::int64_t>(exact::floor_shift(entry * factor + (Wide{1} << (e - 1)), e)));
}

Expected normalized_exponentials(const SiteCheck& check) {
  const double* x = check.computed(check.site.number.value);
  const ir::TensorView table = check.operand("table").tensor;
  const std::int64_t mantissa = check.operand("mantissa").integer();
  const auto shift = static_cast<int>(check.operand("shift").integer());
  const ir::Shape& shape = check.values(check.site.integers.q).type.shape;
  const std::int64_t axis = check.site.root->attributes.integer("axis");
  const auto along = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(shape.size()) : axis);
  std::int64_t stride = 1;
  for (std::size_t d = along + 1; d < shape.size(); ++d) stride *= shape[d];
  const std::int64_t length = shape[along];
  const auto all = std::make_shared<std::vector<std::int64_t>>(static_cast<std::size_t>(ir::element_count(shape)));
  std::vector<std::int64_t> entries;
  std::vector<std::int64_t> steps;
  for (std::int64_t first = 0; first < ir::element_count(shape); ++first) {
    if (first / stride % length != 0) continue;
    double most = x[first];
    for (std::int64_t i = 0; i < length; ++i) most = std::max(most, x[first + i * stride]);
    entries.clear();
    for (std::int64_t i = 0; i < length; ++i) entries.push_back(integer_at(table, static_cast<std::int64_t>(most - x[first + i * stride])));
    judge_row(entries, mantissa, shift, steps);
    for (std::int64_t i = 0; i < length; ++i) (*all)[static_cast<std::size_t>(first + i * stride)] = steps[static_cast<std::size_t>(i)];
  }
  return [all, zero_point = check.zero_point, range = check.range()](std::int64_t i) {
    return exactly(std::clamp((*all)[static_cast<std::size_t>(i)] + zero_point, range.first, range.second));
  };
}

void judge_softmax(Constants& all, const JudgeSite& site) {
  const double x_scale = all.number(site.x.scale);
  const ir::TensorView entries = all.values(operand_named(*site.made, "table"));
  Judgement of{site.made->name, "table", true};
  for (std::int64_t d = 0; d < 256; ++d) {
    const double t = std::exp2(24 - static_cast<double>(d) * x_scale / std::log(2.0));
    const std::int64_t found = integer_at(entries, d);
    // Of t the exponent's rounding is a part.
    count(of, d, integer_verdict(found, t, 0x1p-44 * t, 0, 0x1p24), static_cast<double>(found));
  }
  all.into.push_back(std::move(of));
  Judgement multiplier{site.name, "multiplier", true};
  count_fixed(multiplier, 0, all.integer(operand_named(*site.made, "mantissa")), all.integer(operand_named(*site.made, "shift")),
              1 / all.number(site.integers.scale));
  all.into.push_back(std::move(multiplier));
}

}  // namespace

void softmax_integer(OpJudgeRegistry& registry) {
  registry.add({.name = "softmax_integer",
                .activations = OpJudge::Activations{OpJudge::Activations::Reads::integers, normalized_exponentials, judge_softmax}});
}

}  // namespace stair::verification::judges
