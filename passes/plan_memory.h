#pragma once

#include <string>

#include "ir/plan.h"

namespace stair::passes {

/// Plans one arena for an execution of the graph: values whose lifetimes (definition to last use, in node order) don't overlap share bytes;
/// a result is written in place of operand `OpSchema::in_place` where that operand dies there; an update is written straight into its
/// state's buffer where nothing reads the old value after it. Outputs live to the end. Offsets are multiples of 64. Deterministic.
ir::MemoryPlan plan_memory(const ir::Graph& graph);

/// The plan as text, one line a value (bytes, offset, lifetime), and the size of the arena.
std::string describe(const ir::Graph& graph, const ir::MemoryPlan& plan);

}  // namespace stair::passes
