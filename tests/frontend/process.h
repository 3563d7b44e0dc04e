#pragma once

#include <sys/types.h>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace stair::tests {

/// A folder below the system's temporary one, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, const std::string& bytes) const;
  std::string read(const std::string& name) const;
  /// Contents of every file by its path within the folder.
  std::map<std::string, std::string> files() const;

 private:
  std::string path_;
};

/// How a process of the driver ended.
struct Outcome {
  int code = -1;   ///< exit code; -1: ended by a signal
  int signal = 0;  ///< that ended it
  std::string out, err;
};

/// A process of the driver `stair`, with `folder` as its working directory.
class Process {
 public:
  struct Options {
    std::string stdout_to = {};              ///< file for its standard output; "": Outcome::out
    std::size_t largest_file = 0;            ///< bytes (RLIMIT_FSIZE); 0: any
    std::vector<std::string> launcher = {};  ///< words before the driver's: a program that starts it
  };
  Process(const std::vector<std::string>& arguments, const std::string& folder, const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  pid_t pid() const { return pid_; }
  void send(int signal) const;
  bool running();
  Outcome wait();

 private:
  pid_t pid_ = 0;
  int out_ = -1, err_ = -1, status_ = 0;
  bool ended_ = false;
};

Outcome run_stair(const std::vector<std::string>& arguments, const std::string& folder, const Process::Options& options = {});

}  // namespace stair::tests
