#include <algorithm>

#include "runtime/metrics/floats.h"
#include "runtime/metrics/ranking.h"

namespace stair::runtime::metrics_ {

void anomaly_auc(MetricRegistry& registry) {
  registry.add(
      {.name = "anomaly_auc",
       .summary =
           "area under the receiver operating characteristic of telling odd examples by their squared error: the share of the pairs of an "
           "odd and a normal one in which the odd one's is larger",
       .attributes = {{.name = "normal",
                       .doc = "the labels of normal examples; all others are odd",
                       .fallback = std::vector<std::int64_t>(),
                       .required = true,
                       .bounds = ir::within(0, 1e6)}},
       .expects = [](const Measured& all) -> std::string { return all.labelled ? "" : "the input as the target"; },
       .counts = score_and_side,
       .add =
           [](const Measured& all, const Evaluated& some, Counts& into) {
             const std::vector<std::int64_t>& normal = all.options.integers("normal");
             for (std::int64_t i = 0; i < some.count; ++i) {
               const bool is_odd = std::find(normal.begin(), normal.end(), some.labels[i]) == normal.end();
               rank(all, some.first + i, sum_of_example(some, i, squared_error), is_odd, into);
             }
           },
       .finish = finish_ranking});
}

}  // namespace stair::runtime::metrics_
