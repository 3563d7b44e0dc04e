#include "ir/histogram.h"
#include "passes/range_estimator.h"

namespace stair::passes::ranges_ {

void mse(RangeEstimatorRegistry& registry) {
  registry.add(
      {.name = "mse",
       .summary = "the range whose quantizer has the least mean squared error over all that was seen",
       .simulate = [](const RangeContext& c) {
         const std::vector<ir::ValueId> seen =
             c.observed("observe_histogram", {c.observer("histogram", {ir::DType::f32, {ir::histogram::bins}})});
         const std::vector<ir::ValueId> range = c.emit(
             "mse_range", seen, "range",
             {{"lo", std::int64_t{c.integers().lo}}, {"hi", std::int64_t{c.integers().hi}}, {"symmetric", c.options.at("symmetric")}});
         return c.affine(range[0], range[1]);
       }});
}

}  // namespace stair::passes::ranges_
