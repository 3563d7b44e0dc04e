#include "runtime/arithmetic_version.h"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "ir/arithmetic_version.h"
#include "ir/error.h"

namespace stair::runtime {

int arithmetic_version_of(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const auto it = metadata.find(arithmetic_key);
  if (it == metadata.end()) return 1;
  const std::string& text = it->second;
  int version = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (rest != text.data() + text.size() || error != std::errc{} || version < 1) {
    throw Error(fmt::format("{}: '{}' in its metadata is '{}', expected a version from 1 to {}", path, arithmetic_key, text,
                            ir::arithmetic_version));
  }
  if (version > ir::arithmetic_version) {
    throw Error(fmt::format("{}: is of arithmetic version {}, this program knows versions 1 to {}: it was written by a newer one", path,
                            version, ir::arithmetic_version));
  }
  return version;
}

}  // namespace stair::runtime
