#include "runtime/communicator.h"

// A build without MPI.

namespace stair::runtime {

std::unique_ptr<Communicator> connect() {
  const Launch found = launch();
  if (found.size == 1) return nullptr;
  throw Error("started as one of " + std::to_string(found.size) +
              " processes, but this build has no MPI; expected one that was configured with -DSTAIR_MPI=ON (Debian's libopenmpi-dev)");
}

}  // namespace stair::runtime
