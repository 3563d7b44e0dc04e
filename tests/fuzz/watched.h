#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace stair::tests {

/// One case: a command of the driver, run within this process.
struct WatchedCase {
  std::vector<std::string> arguments;
  bool must_refuse = false;  ///< the file's checksum is wrong: success is a finding, too
};

struct WatchedOptions {
  std::uint64_t cases = 0;
  int seconds = 60;           ///< a case that takes longer hangs
  std::size_t memory = 3072;  ///< MiB; a case that makes the process larger takes too much
};

struct Tally {
  std::uint64_t accepted = 0, refused = 0;
  std::vector<std::string> findings;             ///< "case NUMBER: COMMAND: WHAT"
  std::map<std::string, std::uint64_t> reasons;  ///< why files were refused, without names and numbers
};

/// Runs the current test case's commands in a process of its own (this program once more), which is watched: a crash, a sanitizer's report,
/// exit code 70 or another that isn't documented, an error that isn't one line, a hang or too much memory is a finding; the cases behind
/// it go on in a new process. `prepare` makes what all cases need in the folder; `make` writes what case `number` needs below the working
/// directory, which is the folder, and says what to run.
/// STAIR_CASES sets the number of cases, STAIR_CASE runs one alone, STAIR_REASONS prints why files were refused.
Tally watch(const WatchedOptions& options, const std::function<void(const std::string& folder)>& prepare,
            const std::function<WatchedCase(std::uint64_t number)>& make);

}  // namespace stair::tests
