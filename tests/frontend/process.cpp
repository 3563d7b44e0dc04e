#include "tests/frontend/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace stair::tests {
namespace {

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file without a name, for what a process prints.
int anonymous_file() {
  std::string name = (std::filesystem::temp_directory_path() / "stair_test_XXXXXX").string();
  const int fd = ::mkstemp(name.data());
  if (fd < 0) throw std::runtime_error("mkstemp");
  ::unlink(name.c_str());
  return fd;
}

std::string read_all(int fd) {
  std::string bytes;
  char block[4096];
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t count = 0; (count = ::read(fd, block, sizeof block)) > 0;) bytes.append(block, static_cast<std::size_t>(count));
  ::close(fd);
  return bytes;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "stair_test_XXXXXX").string();
  if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
}
TemporaryFolder::~TemporaryFolder() {
  std::filesystem::remove_all(path_);
}
void TemporaryFolder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(*this / name, std::ios::binary) << bytes;
}
std::string TemporaryFolder::read(const std::string& name) const {
  return bytes_of(*this / name);
}
std::map<std::string, std::string> TemporaryFolder::files() const {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    const std::string name = std::filesystem::relative(entry.path(), path_).string();
    all[name] = entry.is_directory() ? "folder" : bytes_of(entry.path());
  }
  return all;
}

Process::Process(const std::vector<std::string>& arguments, const std::string& folder, const Options& options) {
  std::vector<std::string> words = options.launcher;
  words.emplace_back(STAIR_DRIVER);
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  out_ = anonymous_file();
  err_ = anonymous_file();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    const int out = options.stdout_to.empty() ? out_ : ::open(options.stdout_to.c_str(), O_WRONLY);
    ::dup2(out, 1);
    ::dup2(err_, 2);
    if (options.largest_file > 0) {
      const rlimit limit{options.largest_file, options.largest_file};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (::chdir(folder.c_str()) == 0) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
}

Process::~Process() {
  if (ended_) return;
  ::kill(pid_, SIGKILL);
  wait();
}

void Process::send(int signal) const {
  ::kill(pid_, signal);
}

bool Process::running() {
  if (!ended_) ended_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

Outcome Process::wait() {
  while (!ended_) ended_ = ::waitpid(pid_, &status_, 0) == pid_ || errno != EINTR;
  return {WIFEXITED(status_) ? WEXITSTATUS(status_) : -1, WIFSIGNALED(status_) ? WTERMSIG(status_) : 0, read_all(out_), read_all(err_)};
}

Outcome run_stair(const std::vector<std::string>& arguments, const std::string& folder, const Process::Options& options) {
  return Process(arguments, folder, options).wait();
}

}  // namespace stair::tests
