#pragma once

#include <cstddef>
#include <vector>

#include "ir/graph.h"

namespace stair::ir {

/// The order of execution. Each step is one kernel: of one node, or of several (in the graph's order) that a backend runs as one. Such a
/// group runs where its last node stands; values that its nodes read and nobody else are stored nowhere.
using Schedule = std::vector<std::vector<NodeId>>;

/// One step a node.
inline Schedule one_by_one(const Graph& graph) {
  Schedule schedule;
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) schedule.push_back({static_cast<NodeId>(n)});
  return schedule;
}

/// Where the bytes of each value live during an execution; made by passes/plan_memory, obeyed by the executor.
struct MemoryPlan {
  struct Placement {
    enum class Kind : unsigned char {
      arena,    ///< at `offset` in the arena
      state,    ///< in the buffer of the state `state`: the state itself, or an update written straight over it once nobody reads the old
                ///< value
      input,    ///< where the caller's batch lies
      internal  ///< nowhere: within a group of the schedule
    };
    Kind kind = Kind::arena;
    std::size_t offset = 0;
    ValueId state = absent;
  };
  std::vector<Placement> placements;  ///< by ValueId
  std::size_t arena_bytes = 0;
};

}  // namespace stair::ir
