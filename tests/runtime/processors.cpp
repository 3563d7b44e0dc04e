#include "runtime/processors.h"

#include <doctest/doctest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace stair;

TEST_CASE("control groups limit the processors that count") {
  struct Case {
    const char* what;
    std::string groups;
    std::vector<std::pair<std::string, std::string>> files;
    double expected;  // 0: no limit
  };
  const Case cases[] = {
      {"no groups", "", {}, 0},
      {"version 2, a container's own root", "0::/\n", {{"cpu.max", "150000 100000\n"}}, 1.5},
      {"version 2 without a limit", "0::/\n", {{"cpu.max", "max 100000\n"}}, 0},
      {"version 2, a path without files", "0::/elsewhere/of/the/host\n", {{"cpu.max", "400000 100000\n"}}, 4},
      {"version 2, the parent's limit is the lower one",
       "0::/a/b\n",
       {{"a/cpu.max", "50000 100000\n"}, {"a/b/cpu.max", "300000 100000\n"}},
       0.5},
      {"version 2, the group's own limit is the lower one",
       "0::/a/b\n",
       {{"a/cpu.max", "max 100000\n"}, {"a/b/cpu.max", "300000 100000\n"}},
       3},
      {"version 1",
       "5:memory:/x\n4:cpu,cpuacct:/x\n",
       {{"cpu,cpuacct/x/cpu.cfs_quota_us", "200000\n"}, {"cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"}},
       2},
      {"version 1 without a limit",
       "4:cpu,cpuacct:/x\n",
       {{"cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n"}, {"cpu,cpuacct/x/cpu.cfs_period_us", "100000\n"}},
       0},
      {"version 1, another controller", "4:cpuset:/\n", {{"cpuset/cpu.cfs_quota_us", "1\n"}, {"cpuset/cpu.cfs_period_us", "100000\n"}}, 0},
      {"no numbers", "0::/\nno line of groups\n", {{"cpu.max", "two of them\n"}}, 0},
      {"an empty file", "0::/\n", {{"cpu.max", ""}}, 0},
      {"a period of nothing", "0::/\n", {{"cpu.max", "100 0\n"}}, 0},
  };
  const std::filesystem::path root = std::filesystem::temp_directory_path() / ("stair_groups_" + std::to_string(::getpid()));
  for (const Case& each : cases) {
    CAPTURE(each.what);
    std::filesystem::create_directories(root);
    for (const auto& [name, text] : each.files) {
      std::filesystem::create_directories((root / name).parent_path());
      std::ofstream(root / name) << text;
    }
    CHECK(runtime::processor_quota(each.groups, root).value_or(0) == each.expected);
    std::filesystem::remove_all(root);
  }
}

TEST_CASE("usable processors are those that the process may run on, a part of them for each process of a run") {
  cpu_set_t before;
  REQUIRE(::sched_getaffinity(0, sizeof before, &before) == 0);
  const int allowed = CPU_COUNT(&before);
  CHECK(runtime::allowed_processors() == allowed);
  CHECK(runtime::usable_processors() >= 1);
  CHECK(runtime::usable_processors() <= allowed);
  CHECK(runtime::usable_processors(2) <= std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2));
  CHECK(runtime::usable_processors(1000) == 1);

  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &one);
  REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  CHECK(runtime::allowed_processors() == 1);
  CHECK(runtime::usable_processors() == 1);
  CHECK(runtime::usable_processors(2) == 1);
  CHECK(::sched_setaffinity(0, sizeof before, &before) == 0);
}
