#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stair::tests {

/// A number as so many bytes, the lowest first.
std::string little(std::uint64_t value, int bytes);

/// A ZIP archive, written by other means than the code under test.
struct Zip {
  bool deflates = false, zip64 = false;
  std::string files = {}, directory = {};
  std::uint64_t count = 0;

  void add(const std::string& name, const std::string& bytes, unsigned flags = 0);
  std::string bytes() const;
};

/// One of these files.
std::string zip_file(const std::vector<std::pair<std::string, std::string>>& files, bool deflates);

}  // namespace stair::tests
