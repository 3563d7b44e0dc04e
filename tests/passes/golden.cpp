#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "ir/error.h"
#include "ir/op.h"
#include "ir/scanner.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/pass.h"
#include "passes/pipelines.h"
#include "tests/passes/golden_file.h"
#include "tests/support/model_builder.h"
#include "tests/support/renamed_ops.h"
#include "tests/support/seeds.h"

// What each pass makes of the graphs in tests/golden. STAIR_UPDATE_GOLDEN=1 writes what the passes yield into the files; a case that says
// "unchanged" is never rewritten. Whoever does that reads the difference.

namespace {

using namespace stair;
using tests::GoldenCase;
using tests::RenamedOps;

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

std::vector<GoldenCase> cases_of(const std::string& pass) {
  std::ifstream file(path_of(pass), std::ios::binary);
  REQUIRE_MESSAGE(file.good(), pass);
  return tests::parse_golden(std::string(std::istreambuf_iterator<char>(file), {}), path_of(pass));
}

}  // namespace

TEST_CASE("every pass makes of the graphs in tests/golden what they say, and leaves at least one alone") {
  const char* const wish = std::getenv("STAIR_UPDATE_GOLDEN");
  const bool update = wish != nullptr && std::string(wish) == "1";
  for (const auto& [name, pass] : passes::registry().all()) {
    const std::string path = path_of(name);
    INFO(path);
    std::vector<GoldenCase> cases = cases_of(name);
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

TEST_CASE("with all ops renamed passes make the same but for the names") {
  const RenamedOps ops;
  for (const std::string& pass : passes::registry().names()) {
    for (const GoldenCase& expected : cases_of(pass)) {
      CAPTURE(pass);
      CAPTURE(expected.title);
      GoldenCase made = actual(expected);
      made.text = ops.restored(made.text);
      for (std::string& line : made.says) line = ops.restored(line);
      const std::string difference = tests::first_difference(tests::print_golden({expected}), tests::print_golden({made}));
      CHECK_MESSAGE(difference.empty(), difference);
    }
  }
}

TEST_CASE("with all ops renamed pipelines make the same but for the names") {
  std::vector<ir::Graph> models{tests::small_lenet(2), tests::small_mixed_net(2), tests::small_preactivation_net(2)};
  const std::uint64_t nets = tests::slow_build() ? 1 : 5;
  for (std::uint64_t seed = 0; seed < nets; ++seed) models.push_back(tests::random_net(seed, 2));
  for (const char* json : {R"("int8")", R"("jacob2017")", R"("binaryconnect_stochastic")", R"({"requantization": "power_of_two"})"}) {
    const passes::Recipe recipe = passes::recipe_from_json(json);
    const passes::Pipeline training = passes::quantized_training(recipe, {}, {}, {});
    passes::Pipeline deployment = passes::deployment(recipe);
    for (const passes::Step& step : passes::lowering()) deployment.push_back(step);
    for (const ir::Graph& model : models) {
      for (const passes::Pipeline& pipeline : {training, deployment}) {
        const std::string expected = ir::print(passes::run(pipeline, model));
        const RenamedOps ops;
        const std::string difference = tests::first_difference(expected, ops.restored(ir::print(passes::run(pipeline, model))));
        CHECK_MESSAGE(difference.empty(), difference);
      }
    }
  }
}

TEST_CASE("an op's name is compared only where the code is about that op") {
  // What a rewrite is about, by file: there alone its name is compared. The judges of frontend/verification are found by the names of ops.
  const std::map<std::string, std::set<std::string>> expected{{"passes",
                                                               {
                                                                   "clip_masks.cpp",  // the straight-through estimator's gradient
                                                                   "simplify.cpp",    // peepholes
                                                               }},
                                                              {"frontend", {}},
                                                              {"runtime", {}}};
  const std::regex compares(R"re(\bis(_one_of)?\([^()]*"|\b(op|schema)(->|\.)name *(==|!=|\.)|(==|!=) *[a-z_]*op->name)re");
  for (const auto& entry_of : expected) {
    const std::string& room = entry_of.first;  // what messages capture can't be a structured binding
    CAPTURE(room);
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(STAIR_SOURCE_DIR) + "/" + room)) {
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (std::regex_search(line, compares)) found.insert(entry.path().filename().string());
      }
    }
    CHECK(found == entry_of.second);
  }
}

TEST_CASE("a golden file that isn't of the form is refused with its line") {
  CHECK_THROWS_WITH_AS(tests::parse_golden("sir 1\n", "f"), "f:1: found 'sir 1', expected '## case: TITLE'", Error);
  CHECK_THROWS_WITH_AS(tests::parse_golden("## case: a\n## give\n", "f"), "f:2: unknown marker '## give'", Error);
}
