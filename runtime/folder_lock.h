#pragma once

#include <string>

namespace stair::runtime {

/// Keeps a folder for the one process that writes it: a lock (flock) on the file FOLDER/run.lock, which holds the process's number. The
/// lock ends with the process, however that ends; the file goes with the object, and one that a crash left behind locks nothing.
class FolderLock {
 public:
  /// Error where another process has the folder, naming that process, and where the file can't be made. The folder must exist.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace stair::runtime
