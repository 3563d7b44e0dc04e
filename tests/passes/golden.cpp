#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "ir/error.h"
#include "ir/scanner.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "tests/passes/golden_file.h"

// What each pass makes of the graphs in tests/golden. STAIR_UPDATE_GOLDEN=1 writes what the passes yield into the files; a case that says
// "unchanged" is never rewritten. Whoever does that reads the difference.

namespace {

using namespace stair;
using tests::GoldenCase;

std::string path_of(const std::string& pass) {
  return std::string(STAIR_SOURCE_DIR) + "/tests/golden/" + pass + ".sir";
}

passes::Step step_of(const std::string& run) {
  ir::Scanner scan(run, "## run");
  passes::Step step;
  step.pass = scan.word("a pass");
  step.options = scan.attributes();
  scan.end_line();
  return step;
}

// The case with what really happens in the place of what is expected.
GoldenCase actual(const GoldenCase& expected) {
  GoldenCase made = expected;
  const ir::Graph input = ir::parse(expected.input, expected.title);
  ir::verify(input);
  try {
    const passes::Result result = passes::run(step_of(expected.run), input);
    made.text = ir::print(result.graph);
    const bool same = made.text == ir::print(input);
    made.expected = same ? GoldenCase::Expected::unchanged : GoldenCase::Expected::graph;
    if (same) made.text.clear();
    if (!expected.says.empty()) made.says = result.changes;
  } catch (const Error& error) {
    made.expected = GoldenCase::Expected::error;
    made.text = error.what();
  }
  return made;
}

}  // namespace

TEST_CASE("every pass makes of the graphs in tests/golden what they say, and leaves at least one alone") {
  const char* const wish = std::getenv("STAIR_UPDATE_GOLDEN");
  const bool update = wish != nullptr && std::string(wish) == "1";
  for (const auto& [name, pass] : passes::registry().all()) {
    const std::string path = path_of(name);
    INFO(path);
    std::ifstream file(path, std::ios::binary);
    REQUIRE_MESSAGE(file.good(), "no such file");
    std::vector<GoldenCase> cases = tests::parse_golden(std::string(std::istreambuf_iterator<char>(file), {}), path);
    bool leaves_alone = false;
    for (GoldenCase& expected : cases) {
      INFO(expected.title);
      CHECK(step_of(expected.run).pass == name);
      const GoldenCase made = actual(expected);
      const bool stays = expected.expected != GoldenCase::Expected::unchanged || made.expected == GoldenCase::Expected::unchanged;
      if (update && stays) expected = made;
      leaves_alone = leaves_alone || expected.expected != GoldenCase::Expected::graph;
      const std::string difference = tests::first_difference(tests::print_golden({expected}), tests::print_golden({made}));
      CHECK_MESSAGE(difference.empty(), difference);
    }
    CHECK_MESSAGE(leaves_alone, "no case in which the pass does nothing or refuses the graph");
    if (update) std::ofstream(path, std::ios::binary) << tests::print_golden(cases);
  }
}

TEST_CASE("a golden file that isn't of the form is refused with its line") {
  CHECK_THROWS_WITH_AS(tests::parse_golden("sir 1\n", "f"), "f:1: found 'sir 1', expected '## case: TITLE'", Error);
  CHECK_THROWS_WITH_AS(tests::parse_golden("## case: a\n## give\n", "f"), "f:2: unknown marker '## give'", Error);
}
