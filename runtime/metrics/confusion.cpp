#include "runtime/metrics/classes.h"

namespace stair::runtime::metrics_ {
namespace {

// A class that no label has takes no part in the mean.
Score finish_confusion(const Measured& all, const Counts& counts) {
  const std::int64_t classes = classes_of(all);
  Score::Table matrix{"matrix", {}}, precision{"precision", {{}}}, recall{"recall", {{}}};
  double sum = 0, occurring = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    matrix.rows.emplace_back(counts.begin() + c * classes, counts.begin() + (c + 1) * classes);
    const Hits hits = hits_of(all, counts, c);
    precision.rows.front().push_back(ratio(hits.both, hits.outputs));
    recall.rows.front().push_back(ratio(hits.both, hits.labels));
    if (hits.labels == 0) continue;
    sum += recall.rows.front().back();
    ++occurring;
  }
  return {sum / occurring, {matrix, precision, recall}};
}

}  // namespace

void confusion(MetricRegistry& registry) {
  registry.add({.name = "confusion",
                .summary =
                    "mean of the classes' recalls, with the confusion matrix (a row for each label, a column for each output), and each "
                    "class's precision and recall (0 where nothing was taken for it, or no label is of it)",
                .expects = expects_classes,
                .counts = confusion_counts,
                .add = add_confusion,
                .finish = finish_confusion});
}

}  // namespace stair::runtime::metrics_
