#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace stair {

/// The user's input is at fault (JSON, data, flags, a graph that can't be built). The message is one line that names the place, what was
/// found and what was expected. The driver prints it and exits with code 2.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Staircase itself is at fault: a broken invariant. The driver asks for a report and exits with code 70.
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

/// " (did you mean 'NAME'?)" for the candidate nearest to `found` in edit distance, or "" where none is near enough to be a misspelling.
std::string did_you_mean(std::string_view found, const std::vector<std::string>& candidates);

/// "'a', 'b' or 'c'": the candidates as a message lists them.
std::string one_of(const std::vector<std::string>& candidates);

}  // namespace stair
