// What stands where a file should: pipes, devices, folders, links that lead nowhere.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using tests::Outcome;
using tests::Process;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

std::string npy_pictures() {
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 12, 12), }";
  header.resize(117, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n" + std::string(288, 'p');
}

// A run, and files of each kind that commands read.
const TemporaryFolder& short_run() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    tests::write_experiment(folder);
    ir::Json json = tests::small_experiment();
    json["stages"] = ir::Json::parse(R"([{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.02}}])");
    folder.write("exp.json", json.dump());
    folder.write("model.json", json["model"].dump());
    folder.write("in.npy", npy_pictures());
    REQUIRE(run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path()).code == 0);
    REQUIRE(run_stair({"opt", "model.json", "-o", "model.sir"}, folder.path()).code == 0);
    return true;
  }();
  static_cast<void>(made);
  return folder;
}

struct Reader {
  std::string file;                  // that it reads
  std::vector<std::string> command;  // with FILE in its place
};

const std::vector<Reader>& reading_commands() {
  static const std::vector<Reader> all{{"run/qat.safetensors", {"inspect", "FILE.safetensors"}},
                                       {"run/qat.safetensors", {"export", "FILE.safetensors", "-o", "out.stair"}},
                                       {"run/qat.stair", {"run", "FILE.stair", "--input", "in.npy"}},
                                       {"run/qat.stair", {"inspect", "FILE.stair"}},
                                       {"model.sir", {"inspect", "FILE.sir"}},
                                       {"model.json", {"inspect", "FILE.json"}},
                                       {"exp.json", {"train", "FILE.json", "--run", "again", "--overwrite", "--quiet"}},
                                       {"in.npy", {"run", "run/qat.stair", "--input", "FILE.npy"}}};
  return all;
}

std::string path_in(const Reader& reader) {
  return "FILE" + reader.file.substr(reader.file.rfind('.'));
}

// Writes the bytes into the pipe once the process reads it, unless that ends before.
void feed(const std::string& path, const std::string& bytes, Process& process) {
  int fd = -1;
  while (fd < 0 && process.running()) {
    fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK);
    if (fd < 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ::fcntl(fd, F_SETFL, 0);
  CHECK(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  ::close(fd);
}

}  // namespace

TEST_CASE("devices, folders and links without end are refused in one line") {
  const TemporaryFolder& folder = short_run();
  for (const Reader& reader : reading_commands()) {
    const std::string path = folder / path_in(reader);
    const std::string itself = path_in(reader);
    for (const std::string target : {"/dev/zero", "/dev/null", "run", "nowhere", itself.c_str()}) {
      CAPTURE(reader.command.front());
      CAPTURE(reader.file);
      CAPTURE(target);
      if (target == "run" && path.ends_with(".safetensors")) continue;  // a run's folder stands for its last checkpoint
      std::filesystem::remove(path);
      std::filesystem::create_symlink(target, path);
      const Outcome outcome = run_stair(reader.command, folder.path());
      CHECK(outcome.code == 2);
      CHECK(outcome.err.starts_with("stair: "));
      CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
      std::filesystem::remove(path);
    }
  }
}

TEST_CASE("a pipe is read once") {
  const TemporaryFolder& folder = short_run();
  for (const Reader& reader : reading_commands()) {
    CAPTURE(reader.command.front());
    CAPTURE(reader.file);
    const std::string path = folder / path_in(reader);
    std::filesystem::remove(path);
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    Process process(reader.command, folder.path(), {});
    feed(path, folder.read(reader.file), process);
    const auto begin = std::chrono::steady_clock::now();
    while (process.running() && std::chrono::steady_clock::now() - begin < std::chrono::seconds(60)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK_FALSE(process.running());
    if (process.running()) process.send(SIGKILL);
    const Outcome outcome = process.wait();
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    std::filesystem::remove(path);
  }
}

TEST_CASE("data come from files, not from pipes") {
  const TemporaryFolder& folder = short_run();
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const Outcome outcome =
      run_stair({"train", "exp.json", "--run", "again", "--overwrite", "--set", "data.test.images=pipe"}, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "stair: " + path + ": is a pipe, expected a file: data are read more than once\n");
}
