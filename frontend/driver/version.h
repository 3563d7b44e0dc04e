#pragma once

#include <string>

namespace stair::driver {

/// What `stair --version` prints: the version of the program, and below it those of the formats that it writes and of its arithmetic.
std::string version_text();

}  // namespace stair::driver
