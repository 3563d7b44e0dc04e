#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace stair::runtime {

/// The bytes of a file or of what comes out of a pipe, read once; Error "FILE: REASON" where it can't be read, is a folder or a device, or
/// has more than largest_file() bytes.
std::string read_file(const std::string& path);

/// The most bytes that a file may have, unpacked: a quarter of the machine's memory, since what reads it holds its contents, too.
std::size_t largest_file();
/// Throws the Error of read_file() for what is neither a file nor a pipe or is too large. What isn't there is fine.
void check_readable(const std::string& path);
/// "FILE: has more than …": what has grown beyond largest_file().
[[noreturn]] void fail_as_too_large(const std::string& path);

/// A file of any size that is read in pieces, by any thread. It stays the file that was opened, whatever gets its name.
class OpenFile {
 public:
  /// Error "FILE: REASON" where it can't be opened or is no regular file.
  explicit OpenFile(const std::string& path);
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  ///< when it was opened
  /// Error naming the file and the byte where it can't be read, or has become shorter.
  void read(std::uint64_t at, std::byte* to, std::size_t count) const;

 private:
  std::string path_;
  int fd_;
  std::uint64_t size_ = 0;
};

/// Replaces the file at once: writes a temporary file beside it, flushes that to disk and renames it. On failure (no space, no permission)
/// the old file is as it was, the temporary one is gone, and an Error says why.
void write_file(const std::string& path, std::string_view bytes);

/// Removes the temporary files that processes left in the folder which ended within write_file(). The folder must exist.
void remove_leftovers(const std::string& folder);

/// Appends a line to a text file, flushed to disk.
void append_line(const std::string& path, std::string_view line);

}  // namespace stair::runtime
