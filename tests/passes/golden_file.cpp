#include "tests/passes/golden_file.h"

#include <sstream>
#include <string_view>

#include "ir/error.h"

namespace stair::tests {
namespace {

constexpr std::string_view marker = "## ";

// The rest of the line where it begins with the word, or false.
bool takes(const std::string& line, std::string_view word, std::string& rest) {
  if (!line.starts_with(word)) return false;
  rest = line.substr(word.size());
  return true;
}

}  // namespace

std::vector<GoldenCase> parse_golden(const std::string& text, const std::string& source) {
  std::vector<GoldenCase> cases;
  std::string* graph = nullptr;  // where graph lines go
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    const auto fail = [&](const std::string& message) { throw Error(source + ":" + std::to_string(number) + ": " + message); };
    std::string rest;
    if (takes(line, "## case: ", rest)) {
      cases.push_back({});
      cases.back().title = rest;
      graph = nullptr;
      continue;
    }
    if (line.empty()) continue;
    if (cases.empty()) fail("found '" + line + "', expected '## case: TITLE'");
    GoldenCase& current = cases.back();
    if (takes(line, "## run: ", rest)) {
      current.run = rest;
      graph = &current.input;
    } else if (line == "## gives") {
      current.expected = GoldenCase::Expected::graph;
      graph = &current.text;
    } else if (line == "## unchanged") {
      current.expected = GoldenCase::Expected::unchanged;
      graph = nullptr;
    } else if (takes(line, "## error: ", rest)) {
      current.expected = GoldenCase::Expected::error;
      current.text = rest;
      graph = nullptr;
    } else if (takes(line, "## says: ", rest)) {
      current.says.push_back(rest);
      graph = nullptr;
    } else if (line.starts_with(marker)) {
      fail("unknown marker '" + line + "'");
    } else if (graph == nullptr) {
      fail("found '" + line + "', expected a line that begins with '## '");
    } else {
      *graph += line + "\n";
    }
  }
  return cases;
}

std::string print_golden(const std::vector<GoldenCase>& cases) {
  std::string text;
  for (const GoldenCase& one : cases) {
    text += (text.empty() ? "## case: " : "\n## case: ") + one.title + "\n## run: " + one.run + "\n" + one.input;
    if (one.expected == GoldenCase::Expected::graph) text += "## gives\n" + one.text;
    if (one.expected == GoldenCase::Expected::unchanged) text += "## unchanged\n";
    if (one.expected == GoldenCase::Expected::error) text += "## error: " + one.text + "\n";
    for (const std::string& line : one.says) text += "## says: " + line + "\n";
  }
  return text;
}

std::string first_difference(const std::string& expected, const std::string& actual) {
  if (expected == actual) return "";
  std::istringstream wanted(expected);
  std::istringstream made(actual);
  std::string before;
  for (int number = 1;; ++number) {
    std::string want;
    std::string got;
    const bool more_wanted = static_cast<bool>(std::getline(wanted, want));
    const bool more_made = static_cast<bool>(std::getline(made, got));
    if (!more_wanted) want = "(the end)";
    if (!more_made) got = "(the end)";
    if (want != got || more_wanted != more_made) {
      return "line " + std::to_string(number) + "\n    " + before + "\n  - " + want + "\n  + " + got;
    }
    if (!more_wanted) return "the ends of lines";
    before = want;
  }
}

}  // namespace stair::tests
