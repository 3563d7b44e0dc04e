// `stair bench` as a user runs it.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

using Arguments = std::vector<std::string>;

const TemporaryFolder& folder() {
  static const TemporaryFolder made;
  static const bool done = [] {
    tests::write_experiment(made);
    made.write("model.json", tests::small_model().dump());
    const Outcome outcome = run_stair({"train", "exp.json", "--run", "run", "--quiet", "--threads", "1", "--set", "stages.0.epochs=1",
                                       "--set", "stages.2.epochs=1", "--set", "checkpoint_every=0"},
                                      made.path());
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return true;
  }();
  static_cast<void>(done);
  return made;
}

std::string output_of(Arguments arguments) {
  arguments.insert(arguments.begin(), "bench");
  for (const char* more : {"--runs", "2", "--threads", "1"}) arguments.emplace_back(more);
  const Outcome outcome = run_stair(arguments, folder().path());
  CAPTURE(outcome.err);
  CHECK(outcome.code == 0);
  CHECK(outcome.err.empty());
  return outcome.out;
}

Json bench_json(Arguments arguments) {
  arguments.emplace_back("--json");
  const Json json = Json::parse(output_of(arguments), nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  for (const char* key : {"median_ms", "p90_ms", "min_ms", "images_per_s", "gop_per_s", "peak_fraction", "arena_bytes", "weights_bytes"}) {
    CAPTURE(std::string(key));
    CHECK(json.at(key) > 0);
  }
  CHECK(json.at("isa").is_string());
  CHECK(json.at("runs") == 2);
  REQUIRE_FALSE(json.at("nodes").empty());
  for (const Json& node : json["nodes"]) {
    for (const char* key : {"node", "op", "backend", "kernel", "isa", "median_ms", "share", "gop_per_s", "peak_fraction", "declined"}) {
      CHECK(node.contains(key));
    }
  }
  return json;
}

bool has_op(const Json& json, const std::string& op) {
  return std::any_of(json["nodes"].begin(), json["nodes"].end(),
                     [&](const Json& node) { return node["op"].get<std::string>().find(op) != std::string::npos; });
}

}  // namespace

TEST_CASE("bench measures a model without weights, an artifact and a model in float") {
  const Json model = bench_json({"model.json"});
  CHECK(model["note"] == "initial weights, ranges calibrated on random data");
  CHECK(model["recipe"]["name"] == "int8");
  CHECK(has_op(model, "conv2d_integer"));

  const Json artifact = bench_json({"run/qat.stair", "--batch", "5"});
  CHECK(artifact["name"] == "run/qat.stair");
  CHECK(artifact["operations"] == 5 * model["operations"].get<double>());
  CHECK(has_op(artifact, "conv2d_integer"));

  const Json floats = bench_json({"model.json", "--float"});
  CHECK(floats["recipe"].is_null());
  CHECK(floats["operations"] == model["operations"]);
  CHECK_FALSE(has_op(floats, "integer"));
  CHECK(floats["weights_bytes"] > model["weights_bytes"]);

  CHECK(bench_json({"model.json", "--recipe", R"({"base": "int8", "weights": {"bits": 3}})"})["recipe"]["weights"]["bits"] == 3);
  const Json reference = bench_json({"model.json", "--backend", "reference"});
  CHECK(reference["isa"] == "scalar");
  for (const Json& node : reference["nodes"]) CHECK(node["backend"] == "reference");
}

TEST_CASE("bench measures steps of training, in float and quantized") {
  const Json floats = bench_json({"model.json", "--train", "--mode", "float", "--batch", "4"});
  const Json quantized = bench_json({"model.json", "--train", "--batch", "4"});
  CHECK(floats["mode"] == "float");
  CHECK(quantized["mode"] == "qat");
  CHECK(quantized["recipe"]["name"] == "int8");
  CHECK(floats["operations"] == quantized["operations"]);
  CHECK(has_op(floats, "conv2d_grad_weight"));
  CHECK_FALSE(has_op(floats, "conv2d_integer"));
  CHECK(has_op(quantized, "conv2d_integer"));
  for (const char* key : {"images_per_s", "step_ms", "peak_rss_mib"}) {
    CAPTURE(std::string(key));
    CHECK(quantized.at(key) > 0);
  }
}

TEST_CASE("bench says in text what it measured, on what, and what each node took") {
  const std::string text = output_of({"model.json", "--batch", "2"});
  CHECK(text.starts_with("model: quantized (initial weights, ranges calibrated on random data), batch 2, 1 thread\n"));
  for (const char* part : {"latency     median ", " images/s, ", "% of the peak of ", "memory      arena ", "scalar ", "declined by",
                           "conv2d_integer + requantize", "quantize", "together"}) {
    CAPTURE(std::string(part));
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("what bench can't do is told in one line") {
  struct Bad {
    Arguments arguments;
    std::string says;
  };
  const Bad table[] = {
      {{}, "target is required"},
      {{"nosuch.json"}, "nosuch.json: can't be opened: No such file or directory"},
      {{"nosuch.stair"}, "nosuch.stair: can't be opened: No such file or directory"},
      {{"exp.json"}, "exp.json /model: unknown key 'model'"},
      {{"model.json", "--batch", "0"}, "--batch"},
      {{"model.json", "--runs", "0"}, "--runs"},
      {{"model.json", "--runs", "1", "--seconds", "1"}, "--runs"},
      {{"model.json", "--seconds", "-1"}, "--seconds"},
      {{"model.json", "--float", "--recipe", "int8"}, "--recipe"},
      {{"model.json", "--recipe", "int9"}, "\"int9\" (did you mean 'int8'?)"},
      {{"model.json", "--backend", "refrence"}, "'refrence' (did you mean 'reference'?)"},
      {{"model.json", "--secs", "1"}, "unknown flag '--secs'"},
      {{"model.json", "--train", "--float"}, "--float"},
      {{"model.json", "--mode", "float"}, "--train"},
      {{"model.json", "--train", "--mode", "flaot"}, "--mode"},
      {{"model.json", "--train", "--mode", "float", "--recipe", "int8"}, "--recipe: training in float takes none, expected --mode qat"},
      {{"run/qat.stair", "--train"}, "run/qat.stair: an artifact is quantized already, expected no --train"},
      {{"run/qat.stair", "--float"}, "run/qat.stair: an artifact is quantized already, expected no --float"},
      {{"run/qat.stair", "--recipe", "int8"}, "run/qat.stair: an artifact is quantized already, expected no --recipe"},
  };
  for (const Bad& bad : table) {
    Arguments arguments = bad.arguments;
    arguments.insert(arguments.begin(), "bench");
    const Outcome outcome = run_stair(arguments, folder().path());
    CAPTURE(outcome.err);
    CAPTURE(bad.says);
    CHECK(outcome.code == 2);
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    CHECK(outcome.err.find(bad.says) != std::string::npos);
  }
}
