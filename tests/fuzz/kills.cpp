// A process that is killed at any moment leaves what the next one goes on with, to the same bits. STAIR_CASES kills so many (default: few).

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "tests/fuzz/draws.h"
#include "tests/fuzz/tiny_run.h"

using namespace stair;
using tests::Outcome;
using tests::Process;

TEST_CASE("a training that is killed goes on to the same bits") {
  const char* const asked = std::getenv("STAIR_CASES");
  const std::uint64_t kills = asked == nullptr ? 10 : std::strtoull(asked, nullptr, 10);
  const tests::TemporaryFolder folder;
  tests::write_tiny_experiment(folder);
  const auto begin = std::chrono::steady_clock::now();
  REQUIRE(tests::run_stair(tests::tiny_training(folder, "whole"), folder.path()).code == 0);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - begin;
  const auto expected = tests::results_of(folder, "whole");
  REQUIRE(expected.size() > 4);
  std::uint64_t killed = 0;
  std::uint64_t within_a_write = 0;
  std::uint64_t runs = 0;
  std::uint64_t differences = 0;
  for (std::uint64_t number = 0; killed < kills; ++number) {
    tests::Draws draws(100, number);
    const double moment = 1.1 * whole.count() * static_cast<double>(draws.below(1'000'000)) / 1e6;
    Process process(tests::tiny_training(folder, "run"), folder.path(), {});
    std::this_thread::sleep_for(std::chrono::duration<double>(moment));
    if (process.running()) process.send(SIGKILL);
    const Outcome outcome = process.wait();
    if (outcome.signal == SIGKILL) {
      ++killed;
      within_a_write += tests::temporary_files(folder, "run").empty() ? 0 : 1;
      // Few kills in a row go far: every fourth is followed by a whole run.
      if (!draws.one_in(4) && killed < kills) continue;
    }
    if (outcome.signal == SIGKILL || outcome.code != 0) {
      const Outcome end = tests::run_stair(tests::tiny_training(folder, "run"), folder.path());
      INFO("kill " << number << ": " << outcome.err << end.err);
      CHECK(end.code == 0);
      CHECK(outcome.code <= 0);
    }
    ++runs;
    const bool same = tests::results_of(folder, "run") == expected;
    differences += same ? 0 : 1;
    INFO("kill " << number);
    CHECK(same);
    std::filesystem::remove_all(folder / "run");
  }
  MESSAGE(killed << " kills, of which " << within_a_write << " within a write; " << runs << " runs went on to their end, " << differences
                 << " differ");
}
