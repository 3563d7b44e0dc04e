#include "runtime/metric.h"

namespace stair::runtime {

namespace metrics_ {
void register_all(MetricRegistry& registry);  // generated from the files of runtime/metrics
}

const MetricRegistry& metrics() {
  static const MetricRegistry all = ir::filled(metrics_::register_all);
  return all;
}

}  // namespace stair::runtime
