// Freezing, parts of an optimizer, moving averages of weights, and runs that get more epochs.

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/readers/experiment.h"
#include "frontend/readers/trained.h"
#include "frontend/stages/run.h"
#include "ir/error.h"
#include "ir/rebatch.h"
#include "tests/frontend/small_experiment.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using ir::Json;

namespace {

// The small experiment with these stages.
struct Parts {
  tests::TemporaryFolder folder;
  Json json = tests::small_experiment();
  explicit Parts(const char* stages) {
    tests::write_experiment(folder);
    json["checkpoint_every"] = 0;
    json["augmentation"] = {{"crop_padding", 1}};
    json["stages"] = Json::parse(stages);
  }
  readers::Experiment experiment() const { return readers::read_experiment(json, "e.json", folder.path()); }
  bool run(const std::string& name, bool resume = false) const {
    stages::RunOptions options;
    options.folder = folder / name;
    options.quiet = true;
    options.resume = resume;
    return stages::run_experiment(experiment(), options).finished;
  }
  std::string error(const std::string& name, bool resume) const {
    try {
      run(name, resume);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  runtime::Checkpoint checkpoint(const std::string& file) const { return runtime::load_checkpoint(folder / file); }
};

bool same(const runtime::Tensor& a, const runtime::Tensor& b) {
  return a.type() == b.type() && std::equal(a.as<char>(), a.as<char>() + a.bytes(), b.as<char>());
}

// What the check of a stage's patterns says.
std::string error_of(const Json& stage) {
  Json json = tests::small_experiment();
  json["stages"] = Json::array({stage});
  try {
    const readers::Experiment experiment = readers::read_experiment(json, "e.json", "");
    experiment.stages[0].kind->check(experiment, 0, 12);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("frozen parameters stay, with the statistics of their batch-norm and the steps of their quantizers, and have no slots") {
  const Parts parts(R"([
    {"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02, "momentum": 0.9, "weight_decay": 0.1}, "freeze": ["conv.*", "b?.*"]},
    {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}, "freeze": ["conv.weight", "bn.*"],
     "recipe": {"weights": {"method": "lsq"}}}])");
  REQUIRE(parts.run("run"));
  const readers::Experiment experiment = parts.experiment();
  runtime::Tensors first;
  runtime::initialize_states(experiment.model, experiment.seed, first);
  const runtime::Checkpoint floats = parts.checkpoint("run/float.safetensors");
  const runtime::Checkpoint quantized = parts.checkpoint("run/qat.safetensors");
  for (const char* name : {"conv.weight", "bn.gamma", "bn.beta", "bn.mean", "bn.var"}) {
    CAPTURE(std::string(name));
    CHECK(same(floats.states.at(name), first.at(name)));
    CHECK(same(quantized.states.at(name), first.at(name)));
    CHECK_FALSE(floats.states.contains(std::string(name) + ".momentum"));
  }
  CHECK_FALSE(same(floats.states.at("fc.weight"), first.at("fc.weight")));
  CHECK_FALSE(same(quantized.states.at("fc.weight"), floats.states.at("fc.weight")));
  CHECK(floats.states.contains("fc.weight.momentum"));
  CHECK(quantized.states.contains("conv.weight.step"));
  CHECK_FALSE(quantized.states.contains("conv.weight.step.moment1"));
  CHECK(quantized.states.contains("fc.weight.step.moment1"));
  CHECK(std::isfinite(*quantized.states.at("relu.min").as<float>()));  // ranges follow the data
}

TEST_CASE("patterns that mean nothing, or leave nothing to train, are refused with the nearest name") {
  Json stage{{"kind", "float"}, {"epochs", 1}, {"optimizer", {{"learning_rate", 0.1}}}};
  const auto freeze = [&](const Json& patterns) {
    Json changed = stage;
    changed["freeze"] = patterns;
    return error_of(changed);
  };
  const auto parts = [&](const std::string& list, const Json& frozen = {"bn.*"}) {
    Json changed = stage;
    changed["freeze"] = frozen;
    changed["optimizer"]["parts"] = Json::parse(list);
    return error_of(changed);
  };
  CHECK(freeze({"*.weight", "bn.*"}) == "no error");
  CHECK(freeze({"bn.*", "conv.weigth"}) ==
        "e.json /stages/0/freeze/1: found 'conv.weigth', which means no parameter (did you mean 'conv.weight'?)");
  CHECK(freeze({"bn.mean"}).starts_with("e.json /stages/0/freeze/0: found 'bn.mean', which means no parameter"));
  CHECK(freeze({"*"}) == "e.json /stages/0/freeze: freezes all parameters, expected one that trains");
  CHECK(freeze(Json::array()) == "e.json /stages/0/freeze: found a list of 0, expected at least 1");
  CHECK(parts(R"([{"match": ["fc.*"], "weight_decay": 0}, {"match": ["*"], "learning_rate_factor": 2}])") == "no error");
  CHECK(parts(R"([{"match": ["fc.*"]}])") ==
        "e.json /stages/0/optimizer/parts/0: has no effect, expected 'learning_rate_factor' or 'weight_decay'");
  CHECK(parts(R"([{"match": ["fd.*"], "weight_decay": 0}])")
            .starts_with("e.json /stages/0/optimizer/parts/0/match/0: found 'fd.*', which means no parameter"));
  const std::string idle = ", which means parameters that are frozen or of a part above alone";
  CHECK(parts(R"([{"match": ["bn.*"], "weight_decay": 0}])") == "e.json /stages/0/optimizer/parts/0/match/0: found 'bn.*'" + idle);
  CHECK(parts(R"([{"match": ["fc.*"], "weight_decay": 0}, {"match": ["conv.*", "fc.bias"], "weight_decay": 1}])") ==
        "e.json /stages/0/optimizer/parts/1/match/1: found 'fc.bias'" + idle);
  CHECK(parts(R"([{"match": ["fc.*"], "learning_rate_factor": 0}])") ==
        "e.json /stages/0/optimizer/parts/0/learning_rate_factor: found 0, expected more than 0");
  CHECK(
      parts(R"([{"match": ["fc.*"], "learning_rate": 0.1}])").starts_with("e.json /stages/0/optimizer/parts/0/learning_rate: unknown key"));
  // Steps are parameters of stages that quantize with them.
  stage["kind"] = "qat";
  stage["recipe"] = Json::parse(R"({"weights": {"method": "lsq"}})");
  CHECK(freeze({"*.step"}) == "no error");
  CHECK(freeze({"fc.weight.step"}) == "no error");
  stage["recipe"] = "int8";
  CHECK(freeze({"*.step"}) == "e.json /stages/0/freeze/0: found '*.step', which means no parameter");
}

TEST_CASE("averages follow the weights of each step, as the formula says") {
  const ir::Graph model = ir::with_batch(readers::read_experiment(tests::small_experiment(), "e.json", "").model, 4);
  constexpr double decay = 0.25;
  const ir::Attributes options{{"optimizer", ir::Object({{"learning_rate", 0.1}})}, {"average", decay}};
  runtime::Tensors states;
  runtime::initialize_states(model, 1, states);
  const std::vector<std::string> averaged{"conv.weight", "fc.bias", "bn.gamma", "bn.mean", "bn.var"};
  std::map<std::string, std::vector<double>> expected;
  for (const std::string& name : averaged) {
    const runtime::Tensor& tensor = states.at(name);
    expected[name] = {tensor.as<float>(), tensor.as<float>() + tensor.count()};
    states.emplace(name + ".average", tensor.clone());
  }
  runtime::Executor executor = frontend::compile(model, passes::float_training({}, options), 4, states, {});
  const runtime::Tensor images = tests::random_images(model.type(model.inputs().front()), 5);
  runtime::Tensor labels({ir::DType::i32, {4}});
  for (int i = 0; i < 4; ++i) labels.as<std::int32_t>()[i] = i;
  const ir::TensorView inputs[] = {images.view(), labels.view()};
  for (int t = 1; t <= 4; ++t) {
    executor.run(inputs);
    for (auto& [name, values] : expected) {
      const float* const now = states.at(name).as<float>();
      for (std::size_t i = 0; i < values.size(); ++i)
        values[i] += (1 - std::min(decay, (1.0 + t) / (10 + t))) * (static_cast<double>(now[i]) - values[i]);
    }
  }
  for (const auto& [key, values] : expected) {
    const std::string& name = key;  // what messages capture can't be a structured binding
    CAPTURE(name);
    const float* const found = states.at(name + ".average").as<float>();
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(static_cast<double>(found[i]) == doctest::Approx(values[i]).epsilon(1e-5));
    CHECK_FALSE(same(states.at(name), states.at(name + ".average")));
  }
}

TEST_CASE("a finished run gets more epochs, and equals one that had them from the beginning; all take the averages") {
  Parts parts(R"([
    {"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02}},
    {"kind": "qat", "epochs": 2, "optimizer": {"learning_rate": 0.02, "momentum": 0.9}, "average": 0.9,
     "recipe": {"weights": {"method": "lsq"}, "activations": {"observer": "lsq"}, "schedule": {"activation_delay_steps": 3, "freeze_batch_norm_epoch": 0.5}}}])");
  parts.json["shards"] = 2;
  parts.json["data"]["validation"] = 0.25;
  REQUIRE(parts.run("whole"));
  parts.json["stages"][1]["epochs"] = 1;
  REQUIRE(parts.run("extended"));
  parts.json["stages"][1]["epochs"] = 2;
  REQUIRE(parts.run("extended", true));
  // What was written before the extension says fewer epochs.
  for (const char* file : {"float.safetensors", "qat.best.safetensors"}) {
    const runtime::Tensors states = parts.checkpoint(std::string("whole/") + file).states;
    for (const auto& [name, tensor] : parts.checkpoint(std::string("extended/") + file).states) CHECK(same(tensor, states.at(name)));
  }
  for (const char* file : {"qat.safetensors", "last.safetensors", "qat.stair", "config.json"}) {
    CAPTURE(std::string(file));
    CHECK(parts.folder.read(std::string("whole/") + file) == parts.folder.read(std::string("extended/") + file));
  }
  const runtime::Checkpoint end = parts.checkpoint("whole/qat.safetensors");
  const runtime::Checkpoint last = parts.checkpoint("whole/last.safetensors");
  CHECK(end.averages.empty());
  for (const char* name : {"fc.weight", "bn.var", "conv.weight.step", "relu.step"}) {
    CAPTURE(std::string(name));
    REQUIRE(last.averages.contains(name));
    CHECK(same(end.states.at(name), last.states.at(last.averages.at(name))));
    CHECK_FALSE(same(end.states.at(name), last.states.at(name)));
  }
  readers::Trained trained = readers::load_trained(parts.folder / "whole");
  CHECK(same(trained.checkpoint.states.at("fc.weight"), end.states.at("fc.weight")));
  frontend::Deployment deployed = frontend::deploy(trained.experiment.model, trained.recipe, trained.checkpoint.states);
  readers::Trained ended = readers::load_trained(parts.folder / "whole/qat.safetensors");
  CHECK(deployed.constants.size() == frontend::deploy(ended.experiment.model, ended.recipe, ended.checkpoint.states).constants.size());

  parts.json["stages"][1]["epochs"] = 1;
  CHECK(parts.error("whole", true).find(" /stages/1/epochs: found 1, but the run (") != std::string::npos);
  parts.json["stages"][1]["epochs"] = 2;
  parts.json["stages"][0]["epochs"] = 2;
  CHECK(parts.error("whole", true)
            .ends_with("is of another experiment, which differs at /stages/0/epochs; expected the one that the run began with, or more "
                       "epochs of 'qat' alone"));
}

TEST_CASE("more epochs of a schedule that goes by their number are told; those that patience has ended are refused") {
  Parts parts(R"([{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02}, "schedule": {"kind": "cosine"}}])");
  REQUIRE(parts.run("run"));
  parts.folder.write("exp.json", parts.json.dump());
  const tests::Outcome outcome =
      tests::run_stair({"train", "exp.json", "--run", "run", "--resume", "--set", "stages.0.epochs=2"}, parts.folder.path());
  CHECK(outcome.err == "");
  CHECK(outcome.out.starts_with("float: 2 epochs in the place of 1; the cosine schedule is that of 2 from here on\n"));
  CHECK(parts.checkpoint("run/last.safetensors").step == 24);

  parts.json["data"]["validation"] = 0.25;
  parts.json["stages"] =
      Json::parse(R"([{"kind": "float", "epochs": 3, "patience": 1, "optimizer": {"learning_rate": 1e-30}, "freeze": ["bn.*"]}])");
  REQUIRE(parts.run("patient"));
  parts.json["stages"][0]["epochs"] = 4;
  CHECK(parts.error("patient", true) == "e.json /stages/0/epochs: found 4, but the stage has ended by its patience, behind epoch 2");
}
