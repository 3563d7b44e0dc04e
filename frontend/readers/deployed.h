#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "passes/accumulators.h"
#include "runtime/artifact.h"

namespace stair::readers {

/// An artifact that may be run.
struct Deployed : runtime::Artifact {
  std::string path;                              ///< for errors
  std::vector<passes::AccumulatorBound> bounds;  ///< proven from its own weights
};

/// The one way in which commands read artifacts: whoever wrote the file, what comes back holds only ops that deployment emits, takes f32
/// inputs example by example and yields rows of f32, s8 or u8 for each, its constants are what its ops can compute with, and no int32 sum
/// of it can overflow. Error naming the file and what is wrong.
Deployed load_deployed(const std::string& path);

/// Its graph at that batch. Error where the rows of its outputs don't follow the batch.
ir::Graph at_batch(const Deployed& deployed, std::int64_t batch);

}  // namespace stair::readers
