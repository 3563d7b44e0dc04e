#include <cmath>

#include "runtime/metrics/floats.h"

namespace stair::runtime::metrics_ {

void mae(MetricRegistry& registry) {
  registry.add({.name = "mae",
                .summary = "mean absolute error: the mean over all elements of |output - target|",
                .is_share = false,
                .larger_is_better = false,
                .expects = expects_floats,
                .counts = one_an_example,
                .add = [](const Measured&, const Evaluated& some,
                          Counts& into) { keep_sums(some, into, [](double output, double target) { return std::abs(output - target); }); },
                .finish = [](const Measured& all, const Counts& counts) -> Score { return {mean_of_sums(all, counts)}; }});
}

}  // namespace stair::runtime::metrics_
