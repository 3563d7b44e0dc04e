#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "frontend/verification/judge.h"
#include "frontend/verification/judge_graph.h"
#include "frontend/verification/op_judge.h"
#include "runtime/executor.h"

namespace stair::verification {

/// The integers that may stand in a place, and the one that double precision rounds to.
struct Interval {
  std::int64_t least, nearest, most;
};
inline Interval exactly(std::int64_t q) {
  return {q, q, q};
}

/// A constant by channel: one for all where there is one.
struct ByChannel {
  ir::TensorView tensor;
  std::int64_t of(std::int64_t c) const { return tensor.count() == 1 ? 0 : c; }
  double number(std::int64_t c = 0) const { return static_cast<double>(tensor.as<float>()[of(c)]); }
  std::int64_t integer(std::int64_t c = 0) const;
};

/// Where integers of activations stand, and what they are held against.
class SiteCheck {
 public:
  /// `executor` has run graph.activations.
  SiteCheck(const JudgeSite& its, const Judge::Values& values, const runtime::Executor& executor);

  const JudgeSite& site;
  const Judge::Values& values;
  double scale;             ///< 1 of a sum
  std::int64_t zero_point;  ///< 0 of a sum

  /// What the graph in double precision yields; nullptr for "".
  const double* computed(const std::string& output) const;
  /// An operand of the integer node, by name.
  ByChannel operand(std::string_view name) const { return {values(operand_named(*site.made, name))}; }
  /// The rounding of a number in steps, that may be off by the error, with the clamp that the node takes in.
  Interval around(double t, double error) const;
  /// The range of a node that clamps integers, which was held against double precision.
  std::pair<std::int64_t, std::int64_t> range() const;

 private:
  const runtime::Executor& executor_;
  struct End {
    double least, most;
  };
  End floor_, ceiling_;  // in steps
};

}  // namespace stair::verification
