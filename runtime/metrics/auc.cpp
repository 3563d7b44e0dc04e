#include "runtime/metrics/ranking.h"
#include "runtime/tensor.h"

namespace stair::runtime::metrics_ {
namespace {

// Of two classes the second is the positive one.
double score_of(const Measured& all, const Evaluated& some, std::int64_t i) {
  return all.classes() ? element(some.outputs, 2 * i + 1) - element(some.outputs, 2 * i) : element(some.outputs, i);
}

bool is_positive(const Measured& all, const Evaluated& some, std::int64_t i) {
  return all.classes() ? some.targets.as<std::int32_t>()[i] == 1 : some.targets.as<float>()[i] > 0.5F;
}

}  // namespace

void auc(MetricRegistry& registry) {
  registry.add({.name = "auc",
                .summary = "area under the receiver operating characteristic of a yes or no: of two classes, the second's output less the "
                           "first's, or of one output, whose targets are 0 and 1; 0.5 where only one of them occurs",
                .expects = [](const Measured& all) -> std::string {
                  const bool two = all.classes() && all.outputs.shape.size() == 2 && all.outputs.shape[1] == 2;
                  return two || (!all.classes() && all.per_example() == 1) ? "" : "two classes, or one output";
                },
                .counts = score_and_side,
                .add =
                    [](const Measured& all, const Evaluated& some, Counts& into) {
                      for (std::int64_t i = 0; i < some.count; ++i)
                        rank(all, some.first + i, score_of(all, some, i), is_positive(all, some, i), into);
                    },
                .finish = finish_ranking});
}

}  // namespace stair::runtime::metrics_
