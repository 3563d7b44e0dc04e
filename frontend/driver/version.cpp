#include "frontend/driver/version.h"

#include <fmt/format.h>

#include "ir/arithmetic_version.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"

namespace stair::driver {

std::string version_text() {
  return fmt::format("stair {}\nartifact format {}\ncheckpoint format {}\narithmetic {}", STAIR_VERSION, runtime::artifact_version,
                     runtime::checkpoint_version, ir::arithmetic_version);
}

}  // namespace stair::driver
