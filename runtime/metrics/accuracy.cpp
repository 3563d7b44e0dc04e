#include "runtime/metrics/classes.h"

namespace stair::runtime::metrics_ {

void accuracy(MetricRegistry& registry) {
  registry.add({.name = "accuracy",
                .summary = "share of the labels whose class has the largest output, the first of equals",
                .expects = expects_classes,
                .counts = [](const Measured&) -> std::int64_t { return 2; },
                .add =
                    [](const Measured&, const Evaluated& some, Counts& into) {
                      for_each_label(some, [&](const Logits& logits, std::int32_t label) {
                        into[0] += logits.largest() == label ? 1 : 0;
                        ++into[1];
                      });
                    },
                .finish = share});
}

}  // namespace stair::runtime::metrics_
