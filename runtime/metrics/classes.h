#pragma once

#include <cstdint>
#include <string>

#include "runtime/metric.h"
#include "runtime/tensor.h"

namespace stair::runtime::metrics_ {

// What metrics of classes share: outputs [N, classes, ...] beside labels i32 [N, ...].

inline std::string expects_classes(const Measured& all) {
  return all.classes() ? "" : "classes";
}

inline std::int64_t classes_of(const Measured& all) {
  return all.outputs.shape[1];
}

/// The outputs of one label, of which an example may have one or many.
class Logits {
 public:
  Logits(const ir::TensorView& outputs, std::int64_t number)
      : outputs_(outputs),
        area_(outputs.count() / outputs.dim(0) / outputs.dim(1)),
        first_(number / area_ * outputs.dim(1) * area_ + number % area_) {}

  double operator[](std::int64_t c) const { return element(outputs_, first_ + c * area_); }
  /// The class of the largest, the first of equals: as correct_count has it in training.
  std::int64_t largest() const {
    std::int64_t best = 0;
    for (std::int64_t c = 1; c < outputs_.dim(1); ++c) {
      if ((*this)[c] > (*this)[best]) best = c;
    }
    return best;
  }

 private:
  const ir::TensorView& outputs_;
  std::int64_t area_, first_;
};

/// Calls visit(logits, label) for each label of the examples that count.
template <class Visit>
void for_each_label(const Evaluated& some, Visit visit) {
  const std::int64_t labels = some.targets.count() / some.targets.dim(0) * some.count;
  for (std::int64_t i = 0; i < labels; ++i) visit(Logits(some.outputs, i), some.targets.as<std::int32_t>()[i]);
}

inline double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// counts[0] of counts[1]
inline Score share(const Measured&, const Counts& counts) {
  return {ratio(counts[0], counts[1])};
}

/// How often each class was taken for each: counts[label * classes + output].
inline void add_confusion(const Measured& all, const Evaluated& some, Counts& into) {
  for_each_label(some, [&](const Logits& logits, std::int32_t label) {
    ++into[static_cast<std::size_t>(label * classes_of(all) + logits.largest())];
  });
}

inline std::int64_t confusion_counts(const Measured& all) {
  return classes_of(all) * classes_of(all);
}

/// Of a class: how often it was both, was the label, was the output.
struct Hits {
  std::int64_t both = 0, labels = 0, outputs = 0;
};
inline Hits hits_of(const Measured& all, const Counts& counts, std::int64_t c) {
  const std::int64_t classes = classes_of(all);
  const auto at = [&](std::int64_t label, std::int64_t output) { return counts[static_cast<std::size_t>(label * classes + output)]; };
  Hits hits{at(c, c)};
  for (std::int64_t other = 0; other < classes; ++other) {
    hits.labels += at(c, other);
    hits.outputs += at(other, c);
  }
  return hits;
}

}  // namespace stair::runtime::metrics_
