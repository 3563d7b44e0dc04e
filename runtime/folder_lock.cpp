#include "runtime/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

#include "ir/error.h"

namespace stair::runtime {
namespace {

// The process that a lock's file names, in words: it may not have written its number yet.
std::string holder(int fd) {
  char text[24];
  const ssize_t count = ::pread(fd, text, sizeof text, 0);
  std::string_view number(text, count > 0 ? static_cast<std::size_t>(count) : 0);
  number = number.substr(0, number.find('\n'));
  return number.empty() || number.find_first_not_of("0123456789") != std::string_view::npos ? "another process"
                                                                                            : "process " + std::string(number);
}

// Whether the name still stands for the open file: its last holder removes it.
bool is_there(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) : path_(folder + "/run.lock") {
  while (true) {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd_ < 0) throw Error(path_ + ": can't be written: " + std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      const std::string reason = errno == EWOULDBLOCK ? "" : std::strerror(errno);
      const std::string who = holder(fd_);
      ::close(fd_);
      if (reason.empty())
        throw Error(folder + ": is being written by " + who + ", expected a folder of its own or the end of that process");
      throw Error(path_ + ": can't be locked: " + reason);
    }
    if (is_there(fd_, path_)) break;
    ::close(fd_);
  }
  const std::string number = std::to_string(::getpid()) + "\n";
  // Without the number (a full disk) the lock holds all the same.
  if (::ftruncate(fd_, 0) == 0) static_cast<void>(!::pwrite(fd_, number.data(), number.size(), 0));
}

FolderLock::~FolderLock() {
  ::unlink(path_.c_str());
  ::close(fd_);
}

}  // namespace stair::runtime
