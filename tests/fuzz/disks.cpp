// Disks that fill up at any write, that can't be written, folders that vanish: one line, exit code 2, and what was there is as it was.

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
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

// Runs the driver in a namespace in which the folder "disk" is a file system of so many KiB, and copies to "kept" what it left there.
Process::Options on_disk_of(std::size_t kib, bool read_only) {
  const std::string script = "mount -t tmpfs -o size=" + std::to_string(kib) + "k,nr_inodes=0 none disk && cp -r old/. disk/ && " +
                             (read_only ? "mount -o remount,ro disk && " : "") + "{ \"$@\"; code=$?; cp -r disk/. kept/; exit $code; }";
  return {.launcher = {"/usr/bin/unshare", "-rm", "/bin/sh", "-c", script, "sh"}};
}

bool can_mount(const TemporaryFolder& folder) {
  return run_stair({"--help"}, folder.path(), on_disk_of(64, false)).code == 0;
}

void check_one_line(const Outcome& outcome) {
  CHECK(outcome.signal == 0);
  CHECK(outcome.code == 2);
  CHECK(outcome.err.starts_with("stair: "));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

void make_folders(const TemporaryFolder& folder) {
  for (const char* name : {"old", "disk", "kept"}) {
    std::filesystem::remove_all(folder / name);
    std::filesystem::create_directory(folder / name);
  }
}

}  // namespace

TEST_CASE("a disk that fills up at any write stops a training that goes on elsewhere to the same bits") {
  const TemporaryFolder folder;
  tests::write_tiny_experiment(folder);
  make_folders(folder);
  if (!can_mount(folder)) {
    MESSAGE("not tested: this machine lets nobody mount a small file system");
    return;
  }
  REQUIRE(run_stair(tests::tiny_training(folder, "whole"), folder.path()).code == 0);
  const auto expected = tests::results_of(folder, "whole");
  std::size_t all = 0;
  for (const auto& [name, bytes] : expected) all += bytes.size();
  const char* const asked = std::getenv("STAIR_CASES");
  const std::uint64_t cases = asked == nullptr ? 6 : std::strtoull(asked, nullptr, 10);
  std::uint64_t full = 0;
  for (std::uint64_t number = 0; number < cases; ++number) {
    make_folders(folder);
    tests::Draws draws(101, number);
    const std::size_t kib = 4 + draws.below(2 * all / 1024);
    INFO("case " << number << ": a disk of " << kib << " KiB");
    const Outcome outcome = run_stair(tests::tiny_training(folder, "disk"), folder.path(), on_disk_of(kib, false));
    CHECK(tests::temporary_files(folder, "kept").empty());
    if (outcome.code != 0) {
      ++full;
      check_one_line(outcome);
      const Outcome end = run_stair(tests::tiny_training(folder, "kept"), folder.path());
      INFO(end.err);
      CHECK(end.code == 0);
    }
    CHECK(tests::results_of(folder, "kept") == expected);
  }
  MESSAGE(cases << " disks, of which " << full << " were full");
}

TEST_CASE("every command says in one line that it can't write, and keeps what is there") {
  const TemporaryFolder folder;
  tests::write_tiny_experiment(folder);
  make_folders(folder);
  REQUIRE(run_stair(tests::tiny_training(folder, "run"), folder.path()).code == 0);
  folder.write("old/kept", std::string(3000, 'k'));
  const bool mounts = can_mount(folder);
  if (!mounts) MESSAGE("not tested on full and read-only disks: this machine lets nobody mount a small file system");
  std::string input = "\x93NUMPY";
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (600, 1, 12, 12), }";
  header.resize(117, ' ');
  input += std::string("\x01\x00\x76\x00", 4) + header + "\n" + std::string(600 * 144, 'x');
  folder.write("in.npy", input);
  const std::vector<std::vector<std::string>> commands{{"train", "exp.json", "--quiet", "--run", "DISK/kept2"},
                                                       {"export", "run", "-o", "DISK/kept"},
                                                       {"calibrate", "run", "--batches", "1", "-o", "DISK/kept"},
                                                       {"run", "run/qat.stair", "--input", "in.npy", "--output", "DISK/kept"},
                                                       {"inspect", "run/qat.stair", "--svg", "DISK/kept"},
                                                       {"inspect", "run/qat.stair", "--dot", "DISK/kept"},
                                                       {"opt", "run/config.json", "-o", "DISK/kept"},
                                                       {"compare", "exp.json", "--quiet", "--run", "DISK/kept2"}};
  for (const std::vector<std::string>& command : commands) {
    const auto into = [&](const std::string& where) {
      std::vector<std::string> words = command;
      for (std::string& word : words) {
        if (const std::size_t at = word.find("DISK"); at != std::string::npos) word.replace(at, 4, where);
        if (word == "run/config.json") word = "model.json";
      }
      return words;
    };
    CAPTURE(command.front());
    folder.write("model.json", R"({"input": {"shape": [4]}, "layers": [{"op": "linear", "features": 3}]})");
    check_one_line(run_stair(into("/proc/no/such\nfolder"), folder.path()));
    check_one_line(run_stair(into("exp.json"), folder.path()));  // a file where a folder is expected
    if (!mounts) continue;
    for (const bool read_only : {false, true}) {
      CAPTURE(read_only);
      make_folders(folder);
      folder.write("old/kept", std::string(3000, 'k'));
      check_one_line(run_stair(into("disk"), folder.path(), on_disk_of(read_only ? 64 : 4, read_only)));
      CHECK(folder.read("kept/kept") == std::string(3000, 'k'));
    }
  }
}

TEST_CASE("a run whose folder vanishes says so") {
  const TemporaryFolder folder;
  tests::write_tiny_experiment(folder);
  for (std::uint64_t number = 0; number < 5; ++number) {
    Process process({"train", "exp.json", "--run", "run", "--quiet", "--set", "stages.0.epochs=1000"}, folder.path(), {});
    while (process.running() && !std::filesystem::exists(folder / "run/last.safetensors")) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::error_code ignored;
    while (process.running() && std::filesystem::exists(folder / "run", ignored)) std::filesystem::remove_all(folder / "run", ignored);
    check_one_line(process.wait());
  }
}
