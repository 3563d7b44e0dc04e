#include "runtime/metrics/classes.h"

namespace stair::runtime::metrics_ {
namespace {

Score finish_iou(const Measured& all, const Counts& counts) {
  Score::Table each{"classes", {{}}};
  double sum = 0, occurring = 0;
  for (std::int64_t c = 0; c < classes_of(all); ++c) {
    const Hits hits = hits_of(all, counts, c);
    const std::int64_t either = hits.labels + hits.outputs - hits.both;
    each.rows.front().push_back(ratio(hits.both, either));
    if (either == 0) continue;
    sum += each.rows.front().back();
    ++occurring;
  }
  return {sum / occurring, {each}};
}

}  // namespace

void iou(MetricRegistry& registry) {
  registry.add({.name = "iou",
                .summary =
                    "mean over the classes that occur of intersection over union: labels of the class that the output takes for it, of "
                    "those that are one or the other, with each class's (Everingham 2010, section 4.1)",
                .expects = expects_classes,
                .counts = confusion_counts,
                .add = add_confusion,
                .finish = finish_iou});
}

}  // namespace stair::runtime::metrics_
