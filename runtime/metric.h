#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/attribute_spec.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::runtime {

/// What a metric keeps of the examples that it has seen: integers, so that the sums of any two parts of the data are exactly those of both.
/// What can't be summed exactly, a float of an example, has a place of its own, which is 0 in all parts but one (keep()).
using Counts = std::vector<std::int64_t>;

/// Puts a float into its place, which was 0, and takes it out of there.
void keep(Counts& counts, std::int64_t place, double value);
double kept(const Counts& counts, std::int64_t place);

/// What is measured.
struct Measured {
  ir::Type outputs;  ///< of all examples, [N, ...]
  /// What they are held against: classes, i32 [N] or, for outputs [N, classes, ...], i32 [N, ...]; or floats of the outputs' shape.
  ir::Type targets;
  bool labelled = false;        ///< the data have a class for each example beside the targets
  ir::Attributes options = {};  ///< the metric's own, complete

  bool classes() const { return targets.dtype == ir::DType::i32; }
  std::int64_t examples() const { return outputs.shape.front(); }
  /// Outputs of an example.
  std::int64_t per_example() const { return ir::element_count(outputs.shape) / examples(); }
};

/// Some of the examples.
struct Evaluated {
  ir::TensorView outputs, targets;  ///< rows as Measured says; outputs of classes may be s8 or u8 as well as f32
  const std::int32_t* labels;       ///< one an example where `labelled`
  std::int64_t first = 0;           ///< number of the first of them among all examples
  std::int64_t count = 0;           ///< how many rows count
};

/// What a metric says: a number, and tables beside it.
struct Score {
  struct Table {
    std::string name;
    std::vector<std::vector<double>> rows;
  };
  double value = 0;
  std::vector<Table> tables = {};
};

/// What outputs are measured by on labelled examples: one file in runtime/metrics. No value is negative.
struct Metric {
  std::string name;
  std::string summary;
  std::vector<ir::AttributeSpec> attributes = {};
  bool is_share = true;          ///< of 1, and shown as a percentage
  bool larger_is_better = true;  ///< a best epoch has the largest value, or the least
  /// What it can't measure: what it expects instead, "" where it can.
  std::function<std::string(const Measured& all)> expects;
  /// How many integers it keeps.
  std::function<std::int64_t(const Measured& all)> counts;
  std::function<void(const Measured& all, const Evaluated& some, Counts& into)> add;
  /// Of all examples, each of which has been added once.
  std::function<Score(const Measured& all, const Counts& counts)> finish;

  /// "92.30 %", "0.1234"
  std::string shown(double value) const;
};

using MetricRegistry = ir::Registry<Metric>;
const MetricRegistry& metrics();

}  // namespace stair::runtime
