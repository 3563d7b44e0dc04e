#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::runtime {

/// What a metric keeps of the examples that it has seen: integers, so that the sums of any two parts of the data are exactly those of both.
using Counts = std::vector<std::int64_t>;

/// What outputs are measured by on labelled examples: one file in runtime/metrics.
struct Metric {
  std::string name;
  std::string summary;
  std::size_t counts;  ///< how many it keeps
  /// Adds the first `count` rows of outputs [N, classes] (f32, s8 or u8), with their labels.
  std::function<void(const ir::TensorView& outputs, const std::int32_t* labels, std::int64_t count, Counts& into)> add;
  /// The metric of all examples that were added: at least one.
  std::function<double(const Counts& counts)> finish;
};

using MetricRegistry = ir::Registry<Metric>;
const MetricRegistry& metrics();

}  // namespace stair::runtime
