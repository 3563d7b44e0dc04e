#pragma once

#include <string>

#include "ir/plan.h"

namespace stair::passes {

/// Plans one arena for an execution of the graph in the order of the schedule: values whose lifetimes (definition to last use, in steps)
/// don't overlap share bytes; a result is written in place of its operand of `OpSchema::in_place` where that operand dies there and the
/// step is that node alone; an update is written straight into its state's buffer where nothing reads the old value after it. Outputs live
/// to the end. Offsets are multiples of 64. Deterministic.
ir::MemoryPlan plan_memory(const ir::Graph& graph, const ir::Schedule& schedule);
/// The same, one step a node.
ir::MemoryPlan plan_memory(const ir::Graph& graph);

/// The plan of an execution in the order of the schedule as text: one line a value (bytes, offset, first and last step), the size of the
/// arena, and the step at which most of it is held at once, with those who hold it, the largest first.
std::string describe(const ir::Graph& graph, const ir::Schedule& schedule, const ir::MemoryPlan& plan);

}  // namespace stair::passes
