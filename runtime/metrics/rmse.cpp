#include <cmath>

#include "runtime/metrics/floats.h"

namespace stair::runtime::metrics_ {

void rmse(MetricRegistry& registry) {
  registry.add({.name = "rmse",
                .summary = "root of the mean over all elements of (output - target)^2",
                .is_share = false,
                .larger_is_better = false,
                .expects = expects_floats,
                .counts = one_an_example,
                .add = [](const Measured&, const Evaluated& some, Counts& into) { keep_sums(some, into, squared_error); },
                .finish = [](const Measured& all, const Counts& counts) -> Score { return {std::sqrt(mean_of_sums(all, counts))}; }});
}

}  // namespace stair::runtime::metrics_
