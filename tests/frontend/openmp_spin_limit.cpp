// How long threads spin, as the OpenMP library that the driver loads says it (OMP_DISPLAY_ENV).

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/frontend/process.h"

using namespace stair;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

// The limit of each start of the library, in order. `words`: settings of the environment, and a program that starts the driver.
std::vector<long> limits(const std::vector<std::string>& words) {
  const TemporaryFolder folder;
  tests::Process::Options options;
  options.launcher = {"/usr/bin/env", "-u", "OMP_WAIT_POLICY", "-u", "GOMP_SPINCOUNT", "OMP_DISPLAY_ENV=verbose"};
  options.launcher.insert(options.launcher.end(), words.begin(), words.end());
  const Outcome outcome = run_stair({"--help"}, folder.path(), options);
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.out.find("Staircase") != std::string::npos);
  const std::string name = "GOMP_SPINCOUNT = '";
  std::vector<long> found;
  for (std::size_t at = outcome.err.find(name); at != std::string::npos; at = outcome.err.find(name, at + 1)) {
    found.push_back(std::stol(outcome.err.substr(at + name.size())));
  }
  return found;
}

}  // namespace

TEST_CASE("threads spin for a fraction of the library's own limit") {
  const std::vector<long> found = limits({});
  REQUIRE(found.size() == 2);
  CHECK(found[1] > 0);
  CHECK(found[1] * 2 < found[0]);
}

TEST_CASE("a user's own setting wins") {
  CHECK(limits({"GOMP_SPINCOUNT=1234"}) == std::vector<long>{1234});
  CHECK(limits({"OMP_WAIT_POLICY=passive"}) == std::vector<long>{0});
}

#if defined(__x86_64__)
TEST_CASE("a driver that a dynamic linker on the command line started goes on as it is") {
  CHECK(limits({"/lib64/ld-linux-x86-64.so.2"}).size() == 1);
}
#endif
