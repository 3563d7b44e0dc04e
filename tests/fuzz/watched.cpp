#include "tests/fuzz/watched.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "frontend/driver/main.h"
#include "tests/frontend/process.h"

namespace stair::tests {
namespace {

constexpr const char* worker_variable = "STAIR_FUZZ_WORKER";  // "FIRST LAST PIPE MEMORY"
constexpr const char* said_file = "said.txt";                 // standard error of the case at hand

std::string file_bytes(const std::string& path) {
  std::string bytes;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  char block[4096];
  for (std::size_t n = 0; (n = std::fread(block, 1, sizeof block, file)) > 0;) bytes.append(block, n);
  std::fclose(file);
  return bytes;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.substr(0, 200);
}

// How a case ended that didn't end the process: "accepted", "refused", or what was wrong.
std::string judged(const WatchedCase& one, int code, const std::string& said, std::size_t most_mib) {
  if (code == 70 || (code != 0 && code != 1 && code != 2)) return "exit code " + std::to_string(code) + ": " + said.substr(0, 400);
  if (code == 2) {
    const bool one_line = said.starts_with("stair: ") && std::count(said.begin(), said.end(), '\n') == 1 && said.back() == '\n';
    if (!one_line) return "an error that isn't one line: " + said.substr(0, 400);
    if (said.size() > 8192) return "an error of " + std::to_string(said.size()) + " bytes: " + said.substr(0, 200);
  }
  if (one.must_refuse && code != 2) return "a damaged file was accepted";
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if (static_cast<std::size_t>(usage.ru_maxrss) / 1024 > most_mib) return "takes " + std::to_string(usage.ru_maxrss / 1024) + " MiB";
  return code == 2 ? "refused " + said : "accepted";
}

void say(int pipe, std::string line) {
  std::replace(line.begin(), line.end(), '\n', ' ');
  line += '\n';
  if (::write(pipe, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(99);
}

[[noreturn]] void work(const std::string& task, const std::function<WatchedCase(std::uint64_t number)>& make) {
  unsigned long long first = 0;
  unsigned long long last = 0;
  int pipe = -1;
  std::size_t memory = 0;
  if (std::sscanf(task.c_str(), "%llu %llu %d %zu", &first, &last, &pipe, &memory) != 4) ::_exit(98);
  const int nowhere = ::open("/dev/null", O_WRONLY);
  ::dup2(nowhere, 1);
  for (unsigned long long number = first; number < last; ++number) {
    const int said = ::open(said_file, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    ::dup2(said, 2);
    ::close(said);
    const WatchedCase one = make(number);
    say(pipe, "B " + std::to_string(number) + " " + joined(one.arguments));
    std::vector<std::string> words{"stair"};
    words.insert(words.end(), one.arguments.begin(), one.arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int code = driver::run(static_cast<int>(words.size()), argv.data());
    std::fflush(stderr);
    say(pipe, "E " + judged(one, code, file_bytes(said_file), memory));
  }
  ::_exit(0);
}

// A process that works on the cases from `first` on.
class Worker {
 public:
  Worker(std::uint64_t first, std::uint64_t last, std::size_t memory, const std::string& folder) {
    int ends[2];
    if (::pipe(ends) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::close(ends[0]);
      const std::string task =
          std::to_string(first) + " " + std::to_string(last) + " " + std::to_string(ends[1]) + " " + std::to_string(memory);
      ::setenv(worker_variable, task.c_str(), 1);
      std::string name = std::string("-tc=") + doctest::getContextOptions()->currentTest->m_name;
      std::replace(name.begin(), name.end(), ',', '?');
      std::string program = "/proc/self/exe";
      char* const argv[] = {program.data(), name.data(), nullptr};
      if (::chdir(folder.c_str()) == 0) ::execv(argv[0], argv);
      ::_exit(97);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  ~Worker() {
    ::close(from_);
    if (status_ == -1) end();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// The next line; "" where the process has ended, "hangs" where none comes in time.
  std::string line(int seconds) {
    while (true) {
      if (const std::size_t end = read_.find('\n'); end != std::string::npos) {
        const std::string line = read_.substr(0, end);
        read_.erase(0, end + 1);
        return line;
      }
      pollfd watched{from_, POLLIN, 0};
      const int ready = ::poll(&watched, 1, seconds * 1000);
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return "hangs";
      char block[4096];
      const ssize_t count = ::read(from_, block, sizeof block);
      if (count <= 0) return "";
      read_.append(block, static_cast<std::size_t>(count));
    }
  }
  /// Ends it where it runs; how it ended.
  std::string end(bool kill = true) {
    if (kill) ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    if (WIFSIGNALED(status_)) return std::string("signal ") + std::to_string(WTERMSIG(status_));
    return "ended with code " + std::to_string(WEXITSTATUS(status_));
  }

 private:
  pid_t pid_ = 0;
  int from_ = -1;
  int status_ = -1;
  std::string read_;
};

// What a sanitizer or the C library said last.
std::string report_of(const std::string& folder) {
  const std::string said = file_bytes(folder + "/" + said_file);
  for (const char* key : {"ERROR: AddressSanitizer", "runtime error: ", "terminate called", "Assertion"}) {
    const std::size_t at = said.find(key);
    if (at == std::string::npos) continue;
    const std::size_t begin = said.rfind('\n', at) == std::string::npos ? 0 : said.rfind('\n', at) + 1;
    std::string frames;
    for (std::size_t frame = said.find("    #", at), n = 0; frame != std::string::npos && n < 6;
         frame = said.find("    #", frame + 1), ++n) {
      const std::string line = said.substr(frame, said.find('\n', frame) - frame);
      const std::size_t in = line.find(" in ");
      frames += " |" + (in == std::string::npos ? line : line.substr(in + 3, 90));
    }
    return said.substr(begin, std::min<std::size_t>(said.find('\n', at) - begin, 300)) + frames;
  }
  return said.substr(0, 300);
}

// An error without what differs from file to file: what stands in quotes or brackets, and numbers.
std::string kind_of_message(const std::string& message) {
  std::string kind;
  char until = '\0';
  for (const char c : message) {
    if (until != '\0') {
      if (c == until) until = '\0';
      continue;
    }
    if (c == '\'' || c == '"') until = c;
    if (c == '[') until = ']';
    const bool digit = c >= '0' && c <= '9';
    if (!digit) kind += c;
  }
  return kind.substr(0, 100);
}

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

Tally watch(const WatchedOptions& options, const std::function<void(const std::string& folder)>& prepare,
            const std::function<WatchedCase(std::uint64_t number)>& make) {
  if (const char* task = std::getenv(worker_variable)) work(task, make);
  const TemporaryFolder folder;
  prepare(folder.path());
  const std::uint64_t first = number_in("STAIR_CASE", 0);
  const std::uint64_t last = std::getenv("STAIR_CASE") != nullptr ? first + 1 : number_in("STAIR_CASES", options.cases);
  Tally tally;
  for (std::uint64_t next = first; next < last;) {
    Worker worker(next, last, options.memory, folder.path());
    std::string command;
    while (true) {
      const std::string line = worker.line(options.seconds);
      const auto found = [&](const std::string& what) {
        tally.findings.push_back("case " + std::to_string(next) + ": stair " + command + ": " + what);
        ++next;
      };
      if (line.starts_with("B ")) {
        command = line.substr(line.find(' ', 2) + 1);
      } else if (line.starts_with("E ")) {
        const std::string ending = line.substr(2);
        if (ending == "accepted") {
          ++tally.accepted;
          ++next;
        } else if (ending.starts_with("refused ")) {
          ++tally.refused;
          ++tally.reasons[kind_of_message(ending.substr(8))];
          ++next;
        } else {
          found(ending);
          if (ending.starts_with("takes ")) break;  // the most that it ever took stays
        }
      } else if (line == "hangs") {
        worker.end();
        found("hangs for more than " + std::to_string(options.seconds) + " s");
        break;
      } else {
        const std::string how = worker.end(false);
        if (next < last) found(how + ": " + report_of(folder.path()));
        break;
      }
    }
  }
  return tally;
}

}  // namespace stair::tests
