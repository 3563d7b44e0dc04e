#include "runtime/gzip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>

#include "ir/error.h"
#include "runtime/file.h"

namespace stair::runtime {

std::string read_maybe_gzipped(const std::string& given, const AnnouncedSize& announced) {
  std::error_code ignored;  // what can't be looked at can't be opened either, which says why
  const bool only_gzipped = !std::filesystem::exists(given, ignored) && std::filesystem::exists(given + ".gz", ignored);
  const std::string path = only_gzipped ? given + ".gz" : given;
  check_readable(path);
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(path.c_str(), "rb"), gzclose);
  if (!file) throw Error(path + ": can't be opened: " + std::strerror(errno == 0 ? ENOMEM : errno));
  gzbuffer(file.get(), 1U << 17);
  std::string bytes;
  std::string block(1U << 20, '\0');
  std::uint64_t most = 0;  // bytes that the header announces; 0: not known
  while (true) {
    const int count = gzread(file.get(), block.data(), static_cast<unsigned>(block.size()));
    if (count > 0) bytes.append(block.data(), static_cast<std::size_t>(count));
    if (bytes.size() > largest_file()) fail_as_too_large(path);
    if (count == static_cast<int>(block.size())) {
      if (announced && most == 0) most = announced(bytes);
      if (most != 0 && bytes.size() > most)
        throw Error(fmt::format("{}: has more than the {} bytes that its header announces", path, most));
      continue;
    }
    int code = Z_OK;
    std::string reason = gzerror(file.get(), &code);
    if (reason.starts_with(path + ": ")) reason.erase(0, path.size() + 2);
    if (count < 0 || code != Z_OK) {
      throw Error(fmt::format("{}: is a corrupt or truncated gzip file, after {} bytes of contents: {}", path, bytes.size(),
                              code == Z_ERRNO ? std::strerror(errno) : reason));
    }
    if (count == 0) return bytes;
  }
}

}  // namespace stair::runtime
