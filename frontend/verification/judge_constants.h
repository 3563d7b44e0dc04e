#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "frontend/verification/judge.h"
#include "frontend/verification/judge_graph.h"
#include "frontend/verification/op_judge.h"
#include "runtime/executor.h"

namespace stair::verification {

std::int64_t integer_at(const ir::TensorView& tensor, std::int64_t i);

/// The constants of a realized graph, and what says what they have to be.
struct Constants {
  const JudgeGraph& graph;
  const ir::Graph& simulated;
  const ir::Graph& realized;
  const runtime::Tensors& states;
  const runtime::Executor& executor;                ///< has run graph.constants
  const Judge::Values& values;                      ///< of the realized graph
  std::map<const ir::Node*, JudgedRanges>& ranges;  ///< what was found of states alone, which stays
  std::vector<Judgement>& into;

  /// Element i of a float or integer constant of the realized graph; of a single one that.
  double number(ir::ValueId value, std::int64_t i = 0) const;
  std::int64_t integer(ir::ValueId value, std::int64_t i = 0) const;
  /// What the graph in double precision yields; nullptr for "".
  const double* computed(const std::string& output) const;
  /// The tensor of a state of the simulated graph; nullptr where the value is none.
  const runtime::Tensor* state(ir::ValueId simulated_value) const;
  /// Adds what is said of a number that has to be another.
  void judge_equal(const std::string& node, const char* what, double found, double expected);
};

/// Weights in double precision, with what float32 may be off, and the integers that were found.
struct JudgedWeights {
  JudgedWeights(const Constants& constants, const JudgeWeights& its);

  std::string name;
  ir::TensorView q;
  std::int64_t channels, length;  ///< of a channel
  double off(std::int64_t i) const { return error == nullptr ? 0 : error[i]; }

  const double* w;
  const double* error;
};

/// Which values of the realized graph judge_constants() reads, besides those of the graph's feeds and sites.
void add_constants_read(const JudgeGraph& graph, std::set<ir::ValueId>& into);

/// Judges scales, zero points, weights, fitted weights, steps, biases, multipliers, mantissas, ranges of clamps and tables (judge.h says
/// how).
void judge_constants(Constants& constants);

// What it is made of.

/// Scale and zero point of a quantizer, by the judge of the op that makes them in the simulated graph.
void judge_parameters(Constants& constants, const ir::Node& fake, const std::string& name, const passes::Integers& its);
/// Weights' integers as equal steps of their scale (N-QUANT), and the scale.
void judge_equal_steps(Constants& constants, const JudgeWeights& its);
/// The step of a sum, the weights that were fitted to it, and its bias (N-BIAS, N-BN-SCALE, N-AFFINE).
void judge_sum(Constants& constants, const JudgeSum& its);

}  // namespace stair::verification
