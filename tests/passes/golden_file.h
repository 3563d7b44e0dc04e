#pragma once

#include <string>
#include <vector>

// Files of tests/golden: what passes make of graphs, as text.
//   ## case: TITLE            begins a case
//   ## run: PASS{key=value}   the pass and its options
//   GRAPH                     its input
//   ## gives                  followed by the graph that it must yield
//   ## unchanged              or: the pass must yield its input
//   ## error: TEXT            or: it must throw an Error with that text
//   ## says: LINE             any number of times, last: the changes that it must report (unchecked where none stands)

namespace stair::tests {

struct GoldenCase {
  enum class Expected { graph, unchanged, error };
  std::string title, run, input;
  Expected expected = Expected::graph;
  std::string text;  ///< the graph or the error
  std::vector<std::string> says;
};

/// Throws stair::Error naming the line for a text that isn't of that form.
std::vector<GoldenCase> parse_golden(const std::string& text, const std::string& source);
/// The inverse.
std::string print_golden(const std::vector<GoldenCase>& cases);

/// Empty for equal texts; else the first line in which they differ, with a line of context before it.
std::string first_difference(const std::string& expected, const std::string& actual);

}  // namespace stair::tests
