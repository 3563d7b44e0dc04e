#include "runtime/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "ir/error.h"

namespace stair::runtime {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Error(path + ": " + what + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Of a file whose last line may have been written in part only.
  void shrink_to(off_t size) const { static_cast<void>(::ftruncate(fd_, size)); }
  off_t end() const { return ::lseek(fd_, 0, SEEK_END); }
  bool write_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return ::fsync(fd_) == 0 || errno == EINVAL;  // a pipe or device can't be flushed
  }

 private:
  int fd_;
};

// Neither a folder nor a device.
std::filesystem::file_status checked_status(const std::string& path) {
  std::error_code ignored;  // what can't be looked at can't be opened either, which says why
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  if (std::filesystem::is_directory(status)) throw Error(path + ": is a folder, expected a file");
  if (std::filesystem::is_character_file(status) || std::filesystem::is_block_file(status)) {
    throw Error(path + ": is a device, expected a file");
  }
  return status;
}

constexpr std::string_view temporary_mark = ".tmp";  // and the number of the process that writes the file

bool is_gone(pid_t process) {
  if (::kill(process, 0) != 0) return errno == ESRCH;
  // One that ended, but whose parent hasn't asked for its code, writes no more: "PID (NAME) Z …".
  const Descriptor file("/proc/" + std::to_string(process) + "/stat", O_RDONLY);
  char text[512];
  const ssize_t count = file.get() < 0 ? 0 : ::read(file.get(), text, sizeof text);
  const std::string_view status(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  const std::size_t name_end = status.rfind(')');
  return name_end != std::string_view::npos && status.substr(name_end).starts_with(") Z");
}

// Whether write_file() left a file of that name behind: its process is gone, or this one has its number now.
bool is_leftover(std::string_view name) {
  const std::size_t mark = name.rfind(temporary_mark);
  if (mark == std::string_view::npos) return false;
  const char* const end = name.data() + name.size();
  pid_t process = 0;
  const auto [rest, error] = std::from_chars(name.data() + mark + temporary_mark.size(), end, process);
  if (rest != end || error != std::errc{} || process <= 0) return false;
  return process == ::getpid() || is_gone(process);
}

}  // namespace

std::size_t largest_file() {
  static const std::size_t bytes =
      static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 4;
  return bytes;
}

void fail_as_too_large(const std::string& path) {
  throw Error(path + ": has more than " + std::to_string(largest_file() >> 20U) + " MiB, a quarter of this machine's memory");
}

void check_readable(const std::string& path) {
  std::error_code ignored;  // what can't be looked at can't be opened either, which says why
  const std::filesystem::file_status status = checked_status(path);
  const std::uintmax_t size = std::filesystem::is_regular_file(status) ? std::filesystem::file_size(path, ignored) : 0;
  if (!ignored && size > largest_file()) fail_as_too_large(path);
}

std::string read_file(const std::string& path) {
  check_readable(path);
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) fail(path, "can't be opened");
  std::string bytes;
  char block[1 << 16];
  while (true) {
    const ssize_t count = ::read(file.get(), block, sizeof block);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path, "can't be read");
    if (count == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(count));
    if (bytes.size() > largest_file()) fail_as_too_large(path);
  }
}

OpenFile::OpenFile(const std::string& path) : path_(path) {
  if (std::filesystem::is_fifo(checked_status(path))) throw Error(path + ": is a pipe, expected a file");
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ < 0) fail(path, "can't be opened");
  struct stat status {};
  if (::fstat(fd_, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
}

OpenFile::~OpenFile() {
  ::close(fd_);
}

void OpenFile::read(std::uint64_t at, std::byte* to, std::size_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(fd_, to, count, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "can't be read");
    if (got == 0) throw Error(fmt::format("{}: ends at byte {}, it had {} when it was opened", path_, at, size_));
    at += static_cast<std::uint64_t>(got);
    to += got;
    count -= static_cast<std::size_t>(got);
  }
}

void write_file(const std::string& path, std::string_view bytes) {
  std::error_code ignored;  // what can't be looked at can't be written either, which says why
  if (std::filesystem::is_directory(path, ignored)) throw Error(path + ": is a folder, expected a file to write");
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored)) {
    // A device or pipe: nothing may take its place.
    const Descriptor device(path, O_WRONLY);
    if (device.get() < 0 || !device.write_all(bytes)) fail(path, "can't be written");
    return;
  }
  const std::string temporary = path + std::string(temporary_mark) + std::to_string(::getpid());
  {
    const Descriptor file(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (file.get() < 0) fail(path, "can't be written");
    if (!file.write_all(bytes)) {
      const int reason = errno;
      ::unlink(temporary.c_str());
      errno = reason;
      fail(path, "can't be written");
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    fail(path, "can't be replaced");
  }
}

void remove_leftovers(const std::string& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_regular_file() && is_leftover(entry.path().filename().string())) std::filesystem::remove(entry.path());
  }
}

void append_line(const std::string& path, std::string_view line) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_APPEND);
  if (file.get() < 0) fail(path, "can't be written");
  const off_t before = file.end();
  if (!file.write_all(std::string(line) + "\n")) {
    const int reason = errno;
    file.shrink_to(before);
    errno = reason;
    fail(path, "can't be written");
  }
}

}  // namespace stair::runtime
