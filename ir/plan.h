#pragma once

#include <cstddef>
#include <vector>

#include "ir/graph.h"

namespace stair::ir {

/// Where the bytes of each value live during an execution; made by passes/plan_memory, obeyed by the executor.
struct MemoryPlan {
  struct Placement {
    enum class Kind : unsigned char {
      arena,  ///< at `offset` in the arena
      state,  ///< in the buffer of the state `state`: the state itself, or an update written straight over it once nobody reads the old
              ///< value
      input   ///< where the caller's batch lies
    };
    Kind kind = Kind::arena;
    std::size_t offset = 0;
    ValueId state = absent;
  };
  std::vector<Placement> placements;  ///< by ValueId
  std::size_t arena_bytes = 0;
};

}  // namespace stair::ir
