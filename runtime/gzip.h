#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace stair::runtime {

/// How many bytes a file has by what its header says, from its first MiB (or all of a smaller one).
using AnnouncedSize = std::function<std::uint64_t(const std::string& begin)>;

/// The bytes of a file, uncompressed where it is gzipped. Error naming the file where it is missing, truncated or corrupt, and where it
/// unpacks to more than it announces or than largest_file(). Where the file doesn't exist but "PATH.gz" does, that one is read.
std::string read_maybe_gzipped(const std::string& path, const AnnouncedSize& announced = {});

}  // namespace stair::runtime
