#pragma once

#include <functional>

#include "runtime/communicator.h"

namespace stair::tests {

/// Runs `process` in so many threads, each with a communicator to the others: what processes say to each other, without MPI.
void with_processes(int size, const std::function<void(runtime::Communicator&)>& process);

}  // namespace stair::tests
