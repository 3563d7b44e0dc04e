#pragma once

#include <string>

namespace stair::runtime {

/// The bytes of a file, uncompressed where it is gzipped. Error naming the file where it is missing, truncated or corrupt. Where the file
/// doesn't exist but "PATH.gz" does, that one is read.
std::string read_maybe_gzipped(const std::string& path);

}  // namespace stair::runtime
