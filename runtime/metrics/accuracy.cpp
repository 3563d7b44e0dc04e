#include "runtime/metric.h"
#include "runtime/tensor.h"

namespace stair::runtime::metrics_ {

// A row stands for the class of its largest output, the first of equals: as correct_count has it in training.
void accuracy(MetricRegistry& registry) {
  registry.add({.name = "accuracy",
                .summary = "share of the examples whose largest output, the first of equals, is that of their label",
                .counts = 2,
                .add =
                    [](const ir::TensorView& outputs, const std::int32_t* labels, std::int64_t count, Counts& into) {
                      const std::int64_t classes = outputs.dim(1);
                      for (std::int64_t i = 0; i < count; ++i) {
                        std::int64_t best = 0;
                        for (std::int64_t c = 1; c < classes; ++c) {
                          if (element(outputs, i * classes + c) > element(outputs, i * classes + best)) best = c;
                        }
                        into[0] += best == labels[i] ? 1 : 0;
                      }
                      into[1] += count;
                    },
                .finish = [](const Counts& counts) { return static_cast<double>(counts[0]) / static_cast<double>(counts[1]); }});
}

}  // namespace stair::runtime::metrics_
