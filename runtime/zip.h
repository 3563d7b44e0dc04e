#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace stair::runtime {

/// The files of a ZIP archive (as .npz is), read on demand from its bytes in memory.
class ZipArchive {
 public:
  /// Error naming the file where it is no ZIP archive, is damaged, or is more than largest_file().
  explicit ZipArchive(const std::string& path);

  struct Entry {
    std::uint64_t packed = 0, unpacked = 0, header = 0;  ///< bytes, and where its local header begins
    std::uint32_t checksum = 0;
    unsigned method = 0;  ///< 0: stored, 8: deflated
  };
  const std::map<std::string, Entry>& entries() const { return entries_; }
  /// Its bytes, unpacked. Error naming archive and entry where they are damaged, encrypted, packed by another method, or larger than
  /// largest_file().
  std::string read(const std::string& name) const;

 private:
  std::uint64_t number(std::uint64_t at, int bytes, const char* what) const;
  void read_directory();
  Entry read_entry(std::uint64_t at, std::uint64_t name_length, std::uint64_t extra_length) const;

  std::string path_, bytes_;
  std::map<std::string, Entry> entries_;
};

}  // namespace stair::runtime
