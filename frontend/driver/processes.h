#pragma once

#include <functional>

#include "runtime/communicator.h"

namespace stair::driver {

/// Runs a command in all processes that mpirun started, or in the one that there is. What the first process returns or throws is the job's:
/// the others are silent. An error of one process alone ends them all.
int in_processes(const std::function<int(runtime::Communicator&)>& command);

}  // namespace stair::driver
