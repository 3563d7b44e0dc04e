#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/verification/judge.h"
#include "tests/support/quantized_run.h"

namespace stair::tests {

/// The integers of a trained network on two random images, as its own graph computes them, for a judge to look at: with errors planted, or
/// without.
struct JudgedRun {
  QuantizedRun run;
  ir::Graph simulated;
  passes::Result realized;
  runtime::Tensor images;
  std::map<ir::ValueId, runtime::Tensor> values;  ///< of the realized graph: all of it

  JudgedRun(ir::Graph model, const std::string& recipe, std::uint64_t seed);

  verification::Judge::Values source();
  std::vector<verification::Judgement> judge_constants();
  std::vector<verification::Judgement> judge_images();

 private:
  std::optional<verification::Judge> of_constants_, of_images_;
};

/// How many elements are wrong: of all, or of one kind ("weights", "table"…).
std::int64_t wrong(const std::vector<verification::Judgement>& judgements, const std::string& what = "");
/// What is wrong, a line a value.
std::string describe(const std::vector<verification::Judgement>& judgements);

/// What element i of the value is before it is rounded to an integer, in steps, after the clamp: in double precision, from the operands of
/// the node of the realized graph that rounds it. None where integers alone decide, so that no rounding may excuse another integer.
std::optional<double> unrounded(const JudgedRun& run, ir::ValueId value, std::int64_t i);

}  // namespace stair::tests
