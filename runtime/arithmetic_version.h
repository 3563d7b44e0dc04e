#pragma once

#include <map>
#include <string>

namespace stair::runtime {

/// The key of a checkpoint's or an artifact's metadata that names the version of its arithmetic (docs/numerics.md, "Versions").
inline constexpr const char* arithmetic_key = "arithmetic";

/// The version that the metadata name; 1 where they name none. Error naming `path` for what is no version, or one that this program doesn't
/// know.
int arithmetic_version_of(const std::map<std::string, std::string>& metadata, const std::string& path);

}  // namespace stair::runtime
