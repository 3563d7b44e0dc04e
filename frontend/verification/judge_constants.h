#pragma once

#include <set>
#include <vector>

#include "frontend/verification/judge.h"
#include "frontend/verification/judge_graph.h"
#include "runtime/executor.h"

namespace stair::verification {

std::int64_t integer_at(const ir::TensorView& tensor, std::int64_t i);

/// Which values of the realized graph judge_constants() reads, besides those of the graph's feeds and sites.
void add_constants_read(const JudgeGraph& graph, const ir::Graph& realized, std::set<ir::ValueId>& into);

/// Judges scales, zero points, weights, fitted weights, steps, biases, multipliers, mantissas, ranges of clamps and tables (judge.h says
/// how). `constants` has run graph.constants.
void judge_constants(const JudgeGraph& graph, const ir::Graph& simulated, const ir::Graph& realized, const runtime::Tensors& states,
                     const runtime::Executor& constants, const Judge::Values& values, std::vector<Judgement>& into);

}  // namespace stair::verification
