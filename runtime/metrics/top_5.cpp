#include "runtime/metric.h"
#include "runtime/tensor.h"

namespace stair::runtime::metrics_ {

void top_5(MetricRegistry& registry) {
  registry.add({.name = "top_5",
                .summary = "share of the examples whose label is among their five largest outputs; of equals the first are larger",
                .counts = 2,
                .add =
                    [](const ir::TensorView& outputs, const std::int32_t* labels, std::int64_t count, Counts& into) {
                      const std::int64_t classes = outputs.dim(1);
                      for (std::int64_t i = 0; i < count; ++i) {
                        const double own = element(outputs, i * classes + labels[i]);
                        std::int64_t before = 0;
                        for (std::int64_t c = 0; c < classes; ++c) {
                          const double other = element(outputs, i * classes + c);
                          before += other > own || (other == own && c < labels[i]) ? 1 : 0;
                        }
                        into[0] += before < 5 ? 1 : 0;
                      }
                      into[1] += count;
                    },
                .finish = [](const Counts& counts) { return static_cast<double>(counts[0]) / static_cast<double>(counts[1]); }});
}

}  // namespace stair::runtime::metrics_
