// Plug-ins in the driver: --plugin, the experiment's "plugins", and what is said when one fails.

#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

std::string plugin(const std::string& name) {
  return std::string(STAIR_PLUGINS) + "/" + name + ".so";
}

ir::Json short_experiment() {
  ir::Json experiment = tests::small_experiment();
  experiment["stages"] = ir::Json::parse(R"([{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.02}}])");
  return experiment;
}

// A short run without plug-ins.
const TemporaryFolder& trained_run() {
  static const TemporaryFolder folder;
  static const bool made = [] {
    tests::write_experiment(folder);
    folder.write("short.json", short_experiment().dump());
    REQUIRE(run_stair({"train", "short.json", "--run", "run"}, folder.path()).code == 0);
    return true;
  }();
  static_cast<void>(made);
  return folder;
}

Outcome verify_with(const std::string& name) {
  return run_stair({"verify", "run", "run/qat.stair", "--no-simulation", "--plugin", plugin(name)}, trained_run().path());
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// The command is refused: exit code 2 and this line.
void check_says(const Outcome& outcome, const std::string& line) {
  CHECK(outcome.signal == 0);
  CHECK(outcome.code == 2);
  CHECK(outcome.err == "stair: " + line + "\n");
}

}  // namespace

TEST_CASE("stair backends shows a plug-in in front of the built-in backends") {
  const Outcome outcome = run_stair({"backends", "--plugin", plugin("right")}, ".");
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.starts_with("fixture: a plug-in of the tests\n"));
  CHECK(contains(outcome.out, "fixture: only linear_integer"));
  CHECK_FALSE(contains(run_stair({"backends"}, ".").out, "fixture"));
}

TEST_CASE("a plug-in runs what it takes, and other backends the rest, with the same integers") {
  const TemporaryFolder& folder = trained_run();
  const Outcome verified = verify_with("right");
  CHECK(verified.code == 0);
  CHECK(contains(verified.out, "fixture, 2 threads"));
  const Outcome shown = run_stair({"inspect", "run/qat.stair", "--plugin", plugin("right")}, folder.path());
  CHECK(contains(shown.out, "fixture's loops"));
  const Outcome plain = run_stair({"eval", "run/qat.stair", "--data", "short.json", "--json"}, folder.path());
  const Outcome plugged =
      run_stair({"eval", "run/qat.stair", "--plugin", plugin("right"), "--data", "short.json", "--json"}, folder.path());
  REQUIRE(plugged.code == 0);
  CHECK(plugged.out == plain.out);
  const Outcome exported = run_stair({"export", "run", "-o", "again.stair", "--plugin", plugin("right")}, folder.path());
  REQUIRE(exported.code == 0);
  CHECK(folder.read("again.stair") == folder.read("run/qat.stair"));
}

TEST_CASE("a plug-in of version 1 runs beside the built-in backends with the same integers") {
  const Outcome verified = verify_with("version_1");
  CHECK(verified.code == 0);
  CHECK(contains(verified.out, "version_1, 2 threads"));
  check_says(verify_with("wrong_version"),
             plugin("wrong_version") + ": the plug-in follows version 99 of stair_plugin.h, this program knows versions 1 to 2");
}

TEST_CASE("verify finds a plug-in's wrong result") {
  const Outcome outcome = verify_with("wrong_result");
  CHECK(outcome.code == 1);
  CHECK(contains(outcome.out, "fixture, 1 thread"));
}

TEST_CASE("a plug-in that fails is an error that names it, the node and its reason") {
  const auto says = [](const std::string& name, const std::string& what) {
    const Outcome outcome = run_stair({"eval", "run/qat.stair", "--data", "short.json", "--plugin", plugin(name)}, trained_run().path());
    check_says(outcome, plugin(name) + ": plug-in 'fixture': linear_integer 'fc.sum' " + what);
  };
  says("fails_to_prepare", "can't be prepared: the device's memory is full");
  says("no_kernel", "can't be prepared: found neither a kernel nor an error text");
  says("no_description", "can't be prepared: found no description of the kernel");
  says("much_scratch", "can't be prepared: it asks for 18446744073709551615 bytes of scratch memory, expected at most 2^40");
  says("fails_to_run", "failed: the device has gone");
  says("throws", "failed: threw a C++ exception (out of tiles), expected an error text");
}

TEST_CASE("what a plug-in asks for or says can't harm") {
  const std::vector<std::string> eval{"eval", "run/qat.stair", "--data", "short.json", "--plugin"};
  const auto with = [&](const std::string& name) {
    std::vector<std::string> words = eval;
    words.push_back(plugin(name));
    return run_stair(words, trained_run().path());
  };
  const Outcome much = with("too_much_scratch");
  CHECK(much.code == 2);
  CHECK(contains(much.err, "--memory SIZE allows more"));
  const Outcome bench =
      run_stair({"bench", "run/qat.stair", "--runs", "1", "--json", "--plugin", plugin("not_utf8")}, trained_run().path());
  CHECK(bench.code == 0);
  CHECK(contains(bench.out, "loops ?? ??? é"));
}

TEST_CASE("an experiment names its plug-ins, relative to its file") {
  const TemporaryFolder& folder = trained_run();
  std::filesystem::create_directory(folder / "backends");
  std::filesystem::copy_file(plugin("right"), folder / "backends/right.so", std::filesystem::copy_options::overwrite_existing);
  ir::Json experiment = short_experiment();
  experiment["plugins"] = {"backends/right.so"};
  folder.write("plugged.json", experiment.dump());
  const Outcome trained = run_stair({"train", folder / "plugged.json", "--run", "plugged"}, folder.path());
  CHECK(trained.err == "");
  REQUIRE(trained.code == 0);
  CHECK(contains(folder.read("plugged/qat.report.txt"), "fixture's loops"));
  CHECK(folder.read("plugged/qat.stair") == folder.read("run/qat.stair"));
  const std::string plugins = ir::Json::parse(folder.read("plugged/config.json"))["plugins"].dump();
  CHECK(plugins == "[\"" + folder / "backends/right.so\"]");
  // The checkpoint is good without the plug-in.
  std::filesystem::remove(folder / "backends/right.so");
  CHECK(run_stair({"eval", "plugged"}, folder.path()).code == 0);
  check_says(run_stair({"train", "plugged.json", "--run", "again"}, folder.path()),
             "plugged.json /plugins/0: " + folder / "backends/right.so: no such file, expected a plug-in (a shared library)");
}

TEST_CASE("misuse of --plugin and of an experiment's plugins") {
  for (const std::string command : {"eval", "verify"}) {
    std::vector<std::string> arguments{command, "run", "--plugin", plugin("right"), "--backend", "reference"};
    if (command == "verify") arguments.insert(arguments.begin() + 2, "run/qat.stair");
    check_says(run_stair(arguments, trained_run().path()),
               "--plugin " + plugin("right") + ": has no effect, since --backend reference leaves its backend 'fixture' out");
  }
  const TemporaryFolder& folder = trained_run();
  for (const std::string command : {"backends", "bench", "calibrate", "compare", "eval", "export", "inspect", "run", "train", "verify"}) {
    CAPTURE(command);
    check_says(run_stair({command, "--plugin", "nowhere.so"}, folder.path()),
               "nowhere.so: no such file, expected a plug-in (a shared library)");
  }
  check_says(run_stair({"backends", "--plugin", plugin("right"), "--plugin", plugin("wrong_result")}, folder.path()),
             plugin("wrong_result") + ": the plug-in is named 'fixture', and so is another backend");
  ir::Json experiment = short_experiment();
  experiment["plugins"] = "right.so";
  folder.write("text.json", experiment.dump());
  const Outcome text = run_stair({"train", "text.json", "--run", "again"}, folder.path());
  CHECK(text.code == 2);
  CHECK(contains(text.err, "text.json /plugins"));
}
