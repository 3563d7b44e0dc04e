#pragma once

#include <string>
#include <string_view>

namespace stair::runtime {

/// The bytes of a file; Error "FILE: REASON" where it can't be read.
std::string read_file(const std::string& path);

/// Replaces the file at once: writes a temporary file beside it, flushes that to disk and renames it. On failure (no space, no permission)
/// the old file is as it was, the temporary one is gone, and an Error says why.
void write_file(const std::string& path, std::string_view bytes);

/// Removes the temporary files that processes left in the folder which ended within write_file(). The folder must exist.
void remove_leftovers(const std::string& folder);

/// Appends a line to a text file, flushed to disk.
void append_line(const std::string& path, std::string_view line);

}  // namespace stair::runtime
