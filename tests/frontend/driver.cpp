// Runs the driver as a user does.

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <thread>

#include "ir/error.h"
#include "runtime/artifact.h"
#include "runtime/checkpoint.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::Process;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

using Arguments = std::vector<std::string>;

// With a part of the data that chooses the best epoch.
void write_validated_experiment(const TemporaryFolder& folder) {
  tests::write_experiment(folder);
  Json json = Json::parse(folder.read("exp.json"));
  json["data"]["validation"] = 0.25;
  folder.write("exp.json", json.dump());
}

// The experiment trained on one thread, which nothing interrupted.
const TemporaryFolder& trained() {
  static const TemporaryFolder folder;
  static const bool done = [] {
    write_validated_experiment(folder);
    const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--threads", "1"}, folder.path());
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return true;
  }();
  static_cast<void>(done);
  return folder;
}

Outcome run_fine(const Arguments& arguments, const TemporaryFolder& folder) {
  Outcome outcome = run_stair(arguments, folder.path());
  CAPTURE(arguments[0]);
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  return outcome;
}

Json json_of(const Arguments& arguments, const TemporaryFolder& folder) {
  const Json json = Json::parse(run_fine(arguments, folder).out, nullptr, false);
  CHECK_FALSE(json.is_discarded());
  return json;
}

// The metrics without what the clock says.
std::vector<Json> metrics(const std::string& text) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(Json::parse(text.substr(at, text.find('\n', at) - at)));
    lines.back().erase("seconds");
    lines.back().erase("images_per_s");
  }
  return lines;
}

// Sends the signal once the run's checkpoint is of that stage, behind that step.
Outcome signal_at(const Arguments& arguments, const TemporaryFolder& folder, int signal, std::int64_t stage, std::int64_t step) {
  const std::string last = folder / "run/last.safetensors";
  const auto written = [&] {
    return std::filesystem::exists(last) ? std::filesystem::last_write_time(last).time_since_epoch().count() : 0;
  };
  const auto before = written();  // a signal behind that of another process might come before this one listens
  Process process(arguments, folder.path(), {});
  while (process.running()) {
    if (written() != before) {
      const runtime::Checkpoint checkpoint = runtime::load_checkpoint(last);
      if (checkpoint.stage == stage && checkpoint.step >= step) {
        process.send(signal);
        break;
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return process.wait();
}

void check_same_run(const TemporaryFolder& found, const TemporaryFolder& expected) {
  for (const char* name : {"float", "ptq", "qat"}) {
    CAPTURE(std::string(name));
    const runtime::Checkpoint a = runtime::load_checkpoint(expected / ("run/" + std::string(name) + ".safetensors"));
    const runtime::Checkpoint b = runtime::load_checkpoint(found / ("run/" + std::string(name) + ".safetensors"));
    CHECK(a.step == b.step);
    CHECK(a.best == b.best);
    REQUIRE(a.states.size() == b.states.size());
    for (const auto& entry : a.states) {
      const auto& [state, tensor] = entry;
      INFO(entry.first);
      const auto it = b.states.find(state);
      REQUIRE(it != b.states.end());
      CHECK(std::string(tensor.as<const char>(), tensor.bytes()) == std::string(it->second.as<const char>(), it->second.bytes()));
    }
  }
  for (const char* artifact : {"run/ptq.stair", "run/qat.stair"}) CHECK(found.read(artifact) == expected.read(artifact));
  CHECK(metrics(found.read("run/metrics.jsonl")) == metrics(expected.read("run/metrics.jsonl")));
}

}  // namespace

TEST_CASE("a run leaves its experiment, metrics, checkpoints, artifacts, reports and a summary") {
  const TemporaryFolder& folder = trained();
  std::vector<std::string> names;
  for (const auto& [name, bytes] : folder.files()) {
    if (name.starts_with("run/")) names.push_back(name.substr(4));
  }
  CHECK(names == std::vector<std::string>{"config.json", "float.best.safetensors", "float.json", "float.safetensors", "float.training.txt",
                                          "last.safetensors", "metrics.jsonl", "ptq.json", "ptq.report.txt", "ptq.safetensors", "ptq.stair",
                                          "qat.best.safetensors", "qat.json", "qat.report.txt", "qat.safetensors", "qat.stair",
                                          "qat.training.txt", "summary.json"});
  const Json summary = Json::parse(folder.read("run/summary.json"));
  REQUIRE(summary["stages"].size() == 3);
  CHECK(summary["stages"][2]["kind"] == "qat");
  CHECK(summary["stages"][2]["test_accuracy"] > 0.9);
  CHECK(summary["stages"][2]["artifact_bytes"] == folder.read("run/qat.stair").size());
  CHECK(metrics(folder.read("run/metrics.jsonl")).size() == 5);
  CHECK(folder.read("run/last.safetensors") == folder.read("run/qat.safetensors"));
}

TEST_CASE("eval, export, run and verify agree with training") {
  const TemporaryFolder& folder = trained();
  const double accuracy = Json::parse(folder.read("run/qat.json"))["test_accuracy"];
  CHECK(json_of({"eval", "run", "--json"}, folder)["test_accuracy"] == accuracy);
  CHECK(json_of({"eval", "run", "--float", "--json"}, folder)["arithmetic"] == "float");
  CHECK(json_of({"eval", "run/qat.stair", "--data", "exp.json", "--json"}, folder)["test_accuracy"] == accuracy);

  const TemporaryFolder out;
  CHECK(json_of({"export", "run", "-o", out / "again.stair", "--json"}, folder)["bytes"] == folder.read("run/qat.stair").size());
  CHECK(out.read("again.stair") == folder.read("run/qat.stair"));
  CHECK(run_fine({"export", "run", "-o", out / "again.stair", "--report"}, folder).out.find("bits") != std::string::npos);

  runtime::Tensor picture({ir::DType::u8, {2, 1, 12, 12}});
  runtime::write_npy(picture.view(), out / "zeros.npy");
  CHECK(run_fine({"run", "run/qat.stair", "--input", out / "zeros.npy"}, folder).out.find("image 1: class ") != std::string::npos);
  run_fine({"run", "run/qat.stair", "--input", out / "zeros.npy", "--output", out / "logits.npy"}, folder);
  CHECK(runtime::read_npy(out / "logits.npy").type() == ir::Type{ir::DType::f32, {2, 4}});

  CHECK(run_fine({"verify", "run", "run/qat.stair"}, folder).out.find(", 0 differ\n") != std::string::npos);
  const Json report = json_of({"verify", "run/ptq.safetensors", "run/ptq.stair", "--json", "--images", "7", "--threads", "1,2"}, folder);
  CHECK(report["holds"] == true);
  CHECK(report["images"] == 7);
}

TEST_CASE("metrics that an experiment names are in what a run says, and in what eval prints") {
  const TemporaryFolder folder;
  const std::vector<std::string> more{"--set", "metrics=[\"top_5\"]", "--set", "stages.0.epochs=1", "--set", "stages.2.epochs=1"};
  Arguments train{"train", trained() / "exp.json", "--run", "run", "--quiet", "--threads", "1"};
  train.insert(train.end(), more.begin(), more.end());
  CHECK(run_stair(train, folder.path()).code == 0);
  std::istringstream lines(folder.read("run/metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) CHECK(nlohmann::json::parse(line)["validation_top_5"] == 1);  // of four classes
  CHECK(nlohmann::json::parse(folder.read("run/summary.json"))["stages"][2]["validation_top_5"] == 1);
  const Outcome eval = run_stair({"eval", "run", "--json"}, folder.path());
  CHECK(nlohmann::json::parse(eval.out)["test_top_5"] == 1);
  CHECK(run_stair({"eval", "run"}, folder.path()).out.ends_with("\ntest top_5 100.00 %\n"));
  CHECK(run_stair({"train", trained() / "exp.json", "--run", "again", "--set", "metrics=[\"top_5\", \"top_5\"]"}, folder.path())
            .err.ends_with(" /metrics/1: found 'top_5' a second time\n"));
}

TEST_CASE("inspect, opt, backends and calibrate print what is there") {
  const TemporaryFolder& folder = trained();
  const TemporaryFolder out;
  folder.write("model.json", tests::small_model().dump());
  for (const char* target : {"run", "run/qat.stair", "run/float.safetensors", "model.json"}) {
    CHECK(run_fine({"inspect", target, "--plan", "--dot", out / "graph.dot", "--svg", out / "graph.svg"}, folder).out.find("fc") !=
          std::string::npos);
    CHECK(out.read("graph.dot").starts_with("digraph"));
    CHECK(out.read("graph.svg").starts_with("<svg"));
  }
  const std::string text = run_fine({"opt", "model.json"}, folder).out;
  run_fine({"opt", "model.json", "--passes", "inference_mode, simplify", "-o", out / "model.sir", "--batch", "4"}, folder);
  CHECK(run_fine({"opt", out / "model.sir"}, folder).out == out.read("model.sir"));
  CHECK(out.read("model.sir") != text);
  CHECK(
      run_fine({"opt", "model.json", "--print-after-all", "--passes", "inference_mode"}, folder).out.starts_with("# ---- after inference"));
  CHECK(run_fine({"opt", "--list"}, folder).out.find("inference_mode: ") != std::string::npos);
  CHECK(run_fine({"opt", "model.json", "--plan"}, folder).out.find("bytes") != std::string::npos);
  CHECK(json_of({"backends", "--json"}, folder).size() >= 2);
  CHECK(run_fine({"backends"}, folder).out.find("reference: ") != std::string::npos);

  const Json calibrated = json_of({"calibrate", "run/float.safetensors", "-o", out / "c.safetensors", "--recipe",
                                   R"({"weights": {"bits": 4}})", "--batches", "2", "--json"},
                                  folder);
  CHECK(calibrated["images"] == 16);
  CHECK(json_of({"eval", out / "c.safetensors", "--json"}, folder)["test_accuracy"] == calibrated["test_accuracy"]);
  run_fine({"export", out / "c.safetensors", "-o", out / "c.stair"}, folder);
  run_fine({"verify", out / "c.safetensors", out / "c.stair"}, folder);
  std::filesystem::remove(folder / "model.json");
}

TEST_CASE("a model in a graph's text trains, and its run isn't resumed with another graph") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  folder.write("model.json", tests::small_model().dump());
  run_fine({"opt", "model.json", "-o", "model.sir"}, folder);
  const Arguments train{"train", "exp.json", "--run", "run", "--quiet", "--set", "model=model.sir", "--set", "checkpoint_every=0"};
  run_fine(train, folder);
  run_fine({"verify", "run", "run/qat.stair"}, folder);
  folder.write("model.json", R"({"input": {"shape": [1, 12, 12]}, "layers": [{"op": "flatten"}, {"op": "linear", "features": 4}]})");
  run_fine({"opt", "model.json", "-o", "model.sir"}, folder);
  Arguments resume = train;
  resume.emplace_back("--resume");
  const Outcome outcome = run_stair(resume, folder.path());
  CHECK(outcome.code == 2);
  CHECK(outcome.err.find("is of another experiment, which differs at /model;") != std::string::npos);
}

TEST_CASE("every command explains itself") {
  const TemporaryFolder folder;
  CHECK(run_fine({"--help"}, folder).out.find("train") != std::string::npos);
  for (const char* command : {"train", "eval", "export", "run", "verify", "inspect", "opt", "backends", "bench", "calibrate", "compare"}) {
    CHECK(run_fine({command, "--help"}, folder).out.find("--help") != std::string::npos);
  }
  const std::string version = run_fine({"--version"}, folder).out;
  CHECK(version.starts_with("stair "));
  for (const char* part : {"\nartifact format ", "\ncheckpoint format ", "\narithmetic "}) CHECK(version.find(part) != std::string::npos);
  CHECK(folder.files().empty());
}

TEST_CASE("verify tells an artifact with a changed weight, whose checksum is right, by exit code 1") {
  const TemporaryFolder& folder = trained();
  const TemporaryFolder out;
  runtime::Artifact artifact = runtime::load_artifact(folder / "run/qat.stair");
  for (auto& [name, tensor] : artifact.constants) {
    if (!name.starts_with("fc.weight") || tensor.type().dtype != ir::DType::s8) continue;
    tensor.as<std::int8_t>()[5] = static_cast<std::int8_t>(tensor.as<std::int8_t>()[5] ^ 1);
  }
  runtime::save_artifact(artifact, out / "changed.stair");
  const Outcome outcome = run_stair({"verify", "run", out / "changed.stair"}, folder.path());
  CHECK(outcome.code == 1);
  CHECK(outcome.out.find("DOES NOT HOLD") != std::string::npos);
  const Outcome as_json = run_stair({"verify", "run", out / "changed.stair", "--json"}, folder.path());
  CHECK(as_json.code == 1);
  CHECK(Json::parse(as_json.out)["holds"] == false);
}

TEST_CASE("two threads train the same bytes as one") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  CHECK(run_stair({"train", "exp.json", "--run", "run", "--threads", "2", "--quiet"}, folder.path()).code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("a run killed within float and qat epochs and resumed is the run that was never killed") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  const Arguments train{"train", "exp.json", "--run", "run", "--threads", "1"};
  Arguments resume = train;
  resume.emplace_back("--resume");
  CHECK(signal_at(train, folder, SIGKILL, 0, 5).signal == SIGKILL);
  CHECK(signal_at(resume, folder, SIGKILL, 2, 5).signal == SIGKILL);
  const Outcome outcome = run_stair(resume, folder.path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("a run killed between the calibration and the next checkpoint says its metrics once") {
  const TemporaryFolder folder;
  // The folder of a run that was killed there: the last checkpoint is the calibration's.
  std::filesystem::copy(trained() / "run", folder / "run");
  std::filesystem::copy_file(folder / "run/ptq.safetensors", folder / "run/last.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  const Outcome outcome = run_stair({"train", trained() / "exp.json", "--run", "run", "--resume", "--threads", "1"}, folder.path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("a run goes on whatever stands in its metrics, and forgets lines that are none") {
  const TemporaryFolder folder;
  std::filesystem::copy(trained() / "run", folder / "run");
  const std::string lines = folder.read("run/metrics.jsonl");
  folder.write("run/metrics.jsonl", std::string(200000, '[') + "\n{\"a\": 1, \"a\": 2}\n" + lines + "{\"step\": 1e999}\n{");
  const Outcome outcome = run_stair({"train", trained() / "exp.json", "--run", "run", "--resume", "--threads", "1"}, folder.path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(folder.read("run/metrics.jsonl") == lines);
}

TEST_CASE("an interrupted, terminated or hung-up run ends with code 130 and a checkpoint, and says how to go on") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  const Arguments train{"train", "exp.json", "--run", "run", "--threads", "1", "--set", "name=small"};
  Arguments resume = train;
  resume.emplace_back("--resume");
  const Outcome first = signal_at(train, folder, SIGINT, 0, 5);
  CHECK(first.code == 130);
  CHECK(first.err ==
        "\nstair: interrupted; a checkpoint has been written, go on with: stair train exp.json --run run --set name=small "
        "--resume\n");
  CHECK_FALSE(std::filesystem::exists(folder / "run/run.lock"));
  CHECK(signal_at(resume, folder, SIGTERM, 0, 12).code == 130);
  const Outcome second = signal_at(resume, folder, SIGHUP, 2, 5);
  CHECK(second.code == 130);
  const std::string printed = run_stair({"inspect", "run"}, folder.path()).out;
  CHECK(printed.find("small: stage 'qat', step ") != std::string::npos);
  CHECK(run_stair(resume, folder.path()).code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("a run that shall outlive its terminal does") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  Process process({"train", "exp.json", "--run", "run", "--threads", "1", "--quiet"}, folder.path(), {.launcher = {"/usr/bin/nohup"}});
  while (process.running() && !std::filesystem::exists(folder / "run/last.safetensors")) {
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  process.send(SIGHUP);
  CHECK(process.wait().code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("resuming asks for the same data, where the checkpoint knows it") {
  const TemporaryFolder folder;
  std::filesystem::copy(trained() / "run", folder / "run");
  const Arguments resume{"train", trained() / "exp.json", "--run", "run", "--resume", "--quiet", "--threads", "1"};
  for (const char* file : {"train.images", "train.labels", "test.images", "test.labels"}) {
    const std::string bytes = trained().read(file);
    std::string changed = bytes;
    changed.back() = static_cast<char>(changed.back() ^ 1);
    trained().write(file, changed);
    const auto before = folder.files();
    const Outcome outcome = run_stair(resume, folder.path());
    trained().write(file, bytes);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 2);
    std::string part = file;
    part = part.starts_with("train") ? "training" + part.substr(5) : part;
    part[part.find('.')] = ' ';
    CHECK(outcome.err.find("run/last.safetensors: the run began with other " + part + " (checksum ") != std::string::npos);
    CHECK(folder.files() == before);
  }
  // A checkpoint of before there were checksums.
  runtime::Checkpoint old = runtime::load_checkpoint(folder / "run/last.safetensors");
  CHECK(old.data.size() == 53);
  old.data.clear();
  runtime::save_checkpoint(old, folder / "run/last.safetensors");
  CHECK(run_stair(resume, folder.path()).code == 0);
}

TEST_CASE("a run's folder has one writer, and the second is told who it is") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  const Arguments train{"train", "exp.json", "--run", "run", "--quiet", "--threads", "1", "--set", "stages.0.epochs=1000"};
  Process first(train, folder.path(), {});
  while (first.running() && !std::filesystem::exists(folder / "run/last.safetensors")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (const char* how : {"--resume", "--overwrite"}) {
    Arguments second = train;
    second.emplace_back(how);
    const Outcome outcome = run_stair(second, folder.path());
    CHECK(outcome.code == 2);
    CHECK(outcome.err == "stair: run: is being written by process " + std::to_string(first.pid()) +
                             ", expected a folder of its own or the end of that process\n");
  }
  first.send(SIGKILL);
  CHECK(first.wait().signal == SIGKILL);
  // What a crash leaves behind: the lock's file, which locks nothing, and temporary files.
  CHECK(std::filesystem::exists(folder / "run/run.lock"));
  const std::string gone = std::to_string(first.pid());
  const std::string alive = std::to_string(::getpid());
  folder.write("run/last.safetensors.tmp" + gone, "half");
  folder.write("run/qat.stair.tmp" + alive, "somebody's");
  folder.write("run/notes.tmp", "mine");
  CHECK(run_stair({"train", "exp.json", "--run", "run", "--quiet", "--threads", "1", "--overwrite"}, folder.path()).code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / ("run/last.safetensors.tmp" + gone)));
  CHECK(std::filesystem::exists(folder / ("run/qat.stair.tmp" + alive)));
  CHECK(std::filesystem::exists(folder / "run/notes.tmp"));
  CHECK_FALSE(std::filesystem::exists(folder / "run/run.lock"));
  check_same_run(folder, trained());
}

TEST_CASE("calibration takes the data that there is, where nobody says how much") {
  const TemporaryFolder& folder = trained();  // 9 batches of 8, beside those that validate
  const TemporaryFolder out;
  CHECK(json_of({"calibrate", "run/float.safetensors", "-o", out / "c.safetensors", "--json"}, folder)["images"] == 72);
  run_fine(
      {"train", "exp.json", "--run", out / "run", "--quiet", "--set", "stages.1={\"kind\": \"calibrate\"}", "--set", "stages.0.epochs=1"},
      folder);
  CHECK(runtime::load_checkpoint(out / "run/calibrate.safetensors").step == 9);
}

TEST_CASE("a checkpoint to start from brings its ranges, with which observers may be frozen at once") {
  const TemporaryFolder& folder = trained();
  const TemporaryFolder out;
  run_fine({"train", "exp.json", "--run", out / "run", "--quiet", "--set", "start=run/ptq.safetensors", "--set",
            R"(recipe={"schedule": {"freeze_observers_epoch": 0}})", "--set",
            R"(stages=[{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.01}}])"},
           folder);
  const runtime::Checkpoint before = runtime::load_checkpoint(folder / "run/ptq.safetensors");
  const runtime::Checkpoint after = runtime::load_checkpoint(out / "run/qat.safetensors");
  CHECK(*after.states.at("relu.max").as<float>() == *before.states.at("relu.max").as<float>());
  CHECK(*after.states.at("x.min").as<float>() == *before.states.at("x.min").as<float>());
}

TEST_CASE("resuming a finished run changes nothing but times") {
  const TemporaryFolder folder;
  std::filesystem::copy(trained() / "run", folder / "run");
  CHECK(run_stair({"train", trained() / "exp.json", "--run", "run", "--resume", "--threads", "1"}, folder.path()).code == 0);
  check_same_run(folder, trained());
}

TEST_CASE("resuming asks for the same experiment, in whatever order its keys stand") {
  const TemporaryFolder folder;
  std::filesystem::copy(trained() / "run", folder / "run");
  const auto before = folder.files();
  const Outcome other = run_stair({"train", trained() / "exp.json", "--run", "run", "--resume", "--set", "batch=4"}, folder.path());
  CHECK(other.code == 2);
  CHECK(other.err ==
        "stair: run/last.safetensors: is of another experiment, which differs at /batch; expected the one that the run began "
        "with\n");
  CHECK(folder.files() == before);
  const nlohmann::json sorted = nlohmann::json::parse(folder.read("run/config.json"));
  folder.write("sorted.json", sorted.dump());
  CHECK(run_stair({"train", "sorted.json", "--run", "run", "--resume"}, folder.path()).code == 0);
}

TEST_CASE("training that diverges is an error that names step, tensor and node") {
  const TemporaryFolder folder;
  tests::write_experiment(folder);
  const Outcome outcome =
      run_stair({"train", "exp.json", "--run", "run", "--quiet", "--set", "stages.0.optimizer.learning_rate=1e38"}, folder.path());
  CHECK(outcome.code == 2);
  CAPTURE(outcome.err);
  for (const char* part : {"stair: step ", " (epoch 1): '", " isn't finite: element ", "; the first tensor that isn't finite is '",
                           " (batch_norm 'bn'): element "}) {
    CHECK(outcome.err.find(part) != std::string::npos);
  }
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

TEST_CASE("compare runs experiments side by side, and each of its runs can be gone on with") {
  const TemporaryFolder folder;
  write_validated_experiment(folder);
  Json second = tests::small_experiment();
  second["name"] = "low_bit";
  second["recipe"] = {{"weights", {{"bits", 3}}}, {"activations", {{"bits", 4}}}};
  folder.write("low_bit.json", second.dump());
  const Outcome outcome = run_fine({"compare", "exp.json", "low_bit.json", "--run", "both", "--quiet", "--threads", "1"}, folder);
  CHECK(outcome.out.find("low_bit: qat") != std::string::npos);
  const Json summary = Json::parse(folder.read("both/summary.json"));
  CHECK(summary["verify"]["holds"] == true);
  CHECK(summary["verify"]["mismatches"] == 0);
  CHECK(summary["qat"]["test_accuracy"] > 0.9);
  CHECK(summary["low_bit"]["artifact"]["bytes"] < summary["artifact"]["bytes"]);
  // The second experiment took the first one's float stage; its own run begins behind it.
  const std::string last = folder.read("both/low_bit/last.safetensors");
  CHECK(run_stair({"train", "both/low_bit/config.json", "--run", "both/low_bit", "--resume", "--quiet"}, folder.path()).code == 0);
  CHECK(folder.read("both/low_bit/last.safetensors") == last);
}
