// Trains in several processes, as a user does with mpirun.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "runtime/checkpoint.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using tests::Outcome;
using tests::Process;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

using Arguments = std::vector<std::string>;

bool has_mpi() {
  if (!std::string(STAIR_MPIRUN).empty()) return true;
  MESSAGE("not tested: this build has no MPI");
  return false;
}

// Several processes on a machine that may have fewer cores, in a container, as root. Open MPI never frees some of its memory.
Process::Options processes(int count) {
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  Process::Options options;
  options.launcher = {"/usr/bin/env",
                      "OMPI_ALLOW_RUN_AS_ROOT=1",
                      "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
                      "OMPI_MCA_rmaps_base_oversubscribe=1",
                      "OMPI_MCA_hwloc_base_binding_policy=none",
                      "OMPI_MCA_mpi_yield_when_idle=1",
                      "OMPI_MCA_plm=isolated",
                      "OMPI_MCA_btl=self,vader",
                      "OMPI_MCA_btl_vader_single_copy_mechanism=none",
                      std::string("ASAN_OPTIONS=") + (sanitizer == nullptr ? "" : sanitizer) + ":detect_leaks=0",
                      STAIR_MPIRUN,
                      "-n",
                      std::to_string(count)};
  return options;
}

// A residual addition, batch-norm, dropout; 12 steps an epoch.
void write_residual_experiment(const TemporaryFolder& folder, int epochs) {
  tests::write_experiment(folder);
  ir::Json experiment = tests::small_experiment();
  ir::Json& layers = experiment["model"]["layers"];
  const ir::Json more = ir::Json::parse(R"([
      {"op": "conv2d", "name": "conv2", "out_channels": 4, "kernel": 3, "padding": 1, "bias": false},
      {"op": "batch_norm", "name": "bn2"},
      {"op": "add", "name": "sum", "inputs": ["bn2", "relu"]}])");
  layers.insert(layers.begin() + 3, more.begin(), more.end());
  experiment["stages"][0]["epochs"] = epochs;
  folder.write("exp.json", experiment.dump(1));
}

Arguments training(const std::string& run, const Arguments& more = {}) {
  Arguments arguments{"train", "exp.json", "--run", run, "--threads", "1", "--quiet"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// The files of a run whose bytes may not depend on who computed them.
void check_same_files(const TemporaryFolder& folder, const std::string& found, const std::string& expected, const Arguments& stages) {
  CAPTURE(found);
  int compared = 0;
  for (const std::string& stage : stages) {
    for (const char* kind : {".safetensors", ".best.safetensors", ".stair"}) {
      const std::string name = "/" + stage + kind;
      if (!std::filesystem::exists(folder / (expected + name))) continue;
      CAPTURE(name);
      CHECK(folder.read(found + name) == folder.read(expected + name));
      ++compared;
    }
  }
  CHECK(compared >= 2);
  CHECK(folder.read(found + "/last.safetensors") == folder.read(expected + "/last.safetensors"));
}

// How often our error line stands in what was printed.
std::size_t complaints(const std::string& text) {
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line);) count += line.starts_with("stair: ") ? 1U : 0U;
  return count;
}

// The processes that a process has started.
std::vector<pid_t> children(pid_t parent) {
  std::vector<pid_t> found;
  std::ifstream file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  for (pid_t child = 0; file >> child;) found.push_back(child);
  return found;
}

// Starts two processes, and sends the signal to the second once the first has written a new checkpoint.
Outcome signal_second(const Arguments& arguments, const TemporaryFolder& folder, int signal) {
  const std::string last = "run/last.safetensors";
  const std::string before = folder.read(last);
  Process process(arguments, folder.path(), processes(2));
  while (process.running()) {
    if (folder.read(last) != before) {
      const std::vector<pid_t> ranks = children(process.pid());
      REQUIRE(ranks.size() == 2);
      ::kill(ranks[1], signal);
      break;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return process.wait();
}

}  // namespace

TEST_CASE("processes leave the bytes that one process leaves: weights, observers, batch-norm, dropout") {
  if (!has_mpi()) return;
  const TemporaryFolder folder;
  write_residual_experiment(folder, 2);
  REQUIRE(run_stair(training("one", {"--set", "shards=4"}), folder.path()).code == 0);
  const runtime::Checkpoint whole = runtime::load_checkpoint(folder / "one/qat.safetensors");
  CHECK(whole.states.contains("bn2.mean"));
  CHECK(whole.step == 24);
  for (const int count : {2, 4}) {
    CAPTURE(count);
    const std::string run = "run" + std::to_string(count);
    // Where nothing is said there are as many shards as processes.
    const Outcome outcome =
        run_stair(training(run, count == 4 ? Arguments{} : Arguments{"--set", "shards=4"}), folder.path(), processes(count));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.out.find("qat ") != std::string::npos);
    check_same_files(folder, run, "one", {"float", "ptq", "qat"});
  }
}

TEST_CASE("a process that is killed ends the run, whose checkpoint goes on in any number of processes") {
  if (!has_mpi()) return;
  const TemporaryFolder folder;
  write_residual_experiment(folder, 20);
  REQUIRE(run_stair(training("one", {"--set", "shards=4"}), folder.path()).code == 0);
  const Outcome killed = signal_second(training("run", {"--set", "shards=4"}), folder, SIGKILL);
  INFO(killed.err);
  CHECK(killed.code != 0);
  CHECK(killed.err.find("signal 9") != std::string::npos);
  const Arguments resumed = training("run", {"--set", "shards=4", "--resume"});
  const Outcome interrupted = signal_second(resumed, folder, SIGINT);
  INFO(interrupted.err);
  CHECK(interrupted.code == 130);
  CHECK(interrupted.err.find("go on with: mpirun -n 2 stair train exp.json --run run --set shards=4") != std::string::npos);
  CHECK(complaints(interrupted.err) == 1);
  CHECK(runtime::load_checkpoint(folder / "run/last.safetensors").stage == 0);
  REQUIRE(run_stair(resumed, folder.path()).code == 0);
  check_same_files(folder, "run", "one", {"float", "ptq", "qat"});
}

TEST_CASE("a run that several processes began keeps its shards when it is resumed") {
  if (!has_mpi()) return;
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  REQUIRE(run_stair(training("run"), folder.path(), processes(2)).code == 0);
  const std::string before = folder.read("run/last.safetensors");
  const Outcome again = run_stair(training("run", {"--resume"}), folder.path());
  INFO(again.err);
  CHECK(again.code == 0);
  CHECK(folder.read("run/last.safetensors") == before);
}

TEST_CASE("several processes complain once") {
  if (!has_mpi()) return;
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  const auto complaint = [&](int count, const Arguments& arguments, const std::string& expected) {
    const Outcome outcome = run_stair(arguments, folder.path(), processes(count));
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK(complaints(outcome.err) == 1);
    CHECK(outcome.err.find(expected) != std::string::npos);
  };
  complaint(2, training("run", {"--no-such-option"}), "no-such-option");
  complaint(2, training("run", {"--set", "stages.0.optimizer.learning_rate=1e38"}),
            "stair: step 1 (epoch 1): 'mean:bn.mean' isn't finite: ");
  complaint(3, training("run", {"--set", "shards=4"}), "exp.json /shards: a step has 4, which 3 processes can't share evenly");
}

TEST_CASE("a build without MPI says so where it is one of several processes") {
  if (!std::string(STAIR_MPIRUN).empty()) return;
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  Process::Options options;
  options.launcher = {"/usr/bin/env", "OMPI_COMM_WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=0"};
  const Outcome outcome = run_stair(training("run"), folder.path(), options);
  CHECK(outcome.code == 2);
  CHECK(outcome.err.starts_with("stair: started as one of 2 processes, but this build has no MPI; expected one"));
}

TEST_CASE("shards divide the batch") {
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  const Outcome outcome = run_stair(training("run", {"--set", "shards=3"}), folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "stair: exp.json /shards: found 3, expected a divisor of the batch of 8\n");
}
