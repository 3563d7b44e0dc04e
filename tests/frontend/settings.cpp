// Every setting that a user writes has an effect, or is refused.

#include "frontend/readers/settings.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <functional>

#include "frontend/readers/model_reader.h"
#include "frontend/readers/recipe_settings.h"
#include "ir/error.h"
#include "passes/recipe.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;

namespace {

std::string complaint_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string refusal(const Json& json) {
  return complaint_of([&] { readers::check_settings(readers::read_experiment(json, "e.json", "/data")); });
}

// What is said of the small experiment with values put at pointers; "" where nothing is.
std::string refusal_with(const std::vector<std::pair<std::string, Json>>& changes) {
  Json json = tests::small_experiment();
  for (const auto& [pointer, value] : changes) json[Json::json_pointer(pointer)] = value;
  return refusal(json);
}

std::string refused_recipe(const Json& recipe) {
  return refusal_with({{"/recipe", recipe}});
}

std::string unreached(const Json& recipe, std::int64_t steps_per_epoch) {
  Json json = tests::small_experiment();  // its qat stage has 2 epochs
  json["recipe"] = recipe;
  return complaint_of([&] { readers::check_schedule_reach(readers::read_experiment(json, "e.json", "/data"), steps_per_epoch); });
}

Json from_text(const char* text) {
  return Json::parse(text);
}

// Every place of a value that is neither an object nor a list.
void leaves(const Json& json, const std::string& pointer, std::vector<std::string>& found) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      leaves(value, pointer + "/" + key, found);
    } else if (!value.is_array()) {
      found.push_back(pointer + "/" + key);
    }
  }
}

}  // namespace

TEST_CASE("keys of another optimizer, schedule or loss are refused") {
  const Json adam = from_text(R"({"kind": "adam", "learning_rate": 0.1})");
  for (const char* kind : {"adam", "adamw"}) {
    CHECK(refusal_with({{"/stages/0/optimizer", {{"kind", kind}, {"learning_rate", 0.1}, {"momentum", 0.9}}}}) ==
          "e.json /stages/0/optimizer/momentum: has no effect with the optimizer '" + std::string(kind) + "', only with 'sgd'");
    CHECK(refusal_with({{"/stages/0/optimizer", {{"kind", kind}, {"learning_rate", 0.1}, {"nesterov", true}}}}) != "");
    CHECK(refusal_with({{"/stages/0/optimizer", {{"kind", kind}, {"learning_rate", 0.1}, {"beta1", 0.8}, {"beta2", 0.9}, {"eps", 0.1}}}}) ==
          "");
  }
  for (const char* key : {"beta1", "beta2", "eps"}) {
    CHECK(refusal_with({{"/stages/0/optimizer/" + std::string(key), 0.5}}) ==
          "e.json /stages/0/optimizer/" + std::string(key) + ": has no effect with the optimizer 'sgd', only with 'adam' or 'adamw'");
  }
  CHECK(refusal_with({{"/stages/0/optimizer", {{"learning_rate", 0.1}, {"nesterov", true}}}}) ==
        "e.json /stages/0/optimizer/nesterov: found true, which has no effect without 'momentum'");
  CHECK(refusal_with({{"/stages/0/optimizer/nesterov", true}}) == "");

  const std::vector<std::pair<const char*, std::vector<const char*>>> schedules{{"constant", {"every_epochs", "gamma", "final"}},
                                                                                {"cosine", {"every_epochs", "gamma"}},
                                                                                {"step", {"final"}},
                                                                                {"exponential", {"final"}}};
  for (const auto& [kind, keys] : schedules) {
    CHECK(refusal_with({{"/stages/0/schedule", {{"kind", kind}, {"warmup_epochs", 0.5}}}}) == "");
    for (const char* key : keys) {
      const std::string text = refusal_with({{"/stages/0/schedule", {{"kind", kind}, {key, 0.5}}}});
      CHECK(text.starts_with("e.json /stages/0/schedule/" + std::string(key) + ": has no effect with the schedule '" + kind +
                             "', only with "));
    }
  }
  CHECK(refusal_with({{"/loss", {{"kind", "squared_hinge"}, {"label_smoothing", 0.1}}}}) ==
        "e.json /loss/label_smoothing: has no effect with the loss 'squared_hinge', only with 'cross_entropy'");
  CHECK(refusal_with({{"/loss", {{"kind", "cross_entropy"}, {"label_smoothing", 0.1}}}}) == "");
}

TEST_CASE("a warm-up or decay beyond the stage's end is refused") {
  const auto with = [](const Json& schedule) { return refusal_with({{"/stages/0/schedule", schedule}}); };  // a stage of 2 epochs
  CHECK(with({{"kind", "constant"}, {"warmup_epochs", 2}}) == "");
  CHECK(with({{"kind", "constant"}, {"warmup_epochs", 2.5}}).starts_with("e.json /stages/0/schedule/warmup_epochs: found 2.5, "));
  CHECK(with({{"kind", "cosine"}, {"warmup_epochs", 2}}).starts_with("e.json /stages/0/schedule/warmup_epochs: found 2, "));
  CHECK(with({{"kind", "step"}}) == "");
  CHECK(with({{"kind", "step"}, {"every_epochs", 1.5}}) == "");
  CHECK(with({{"kind", "step"}, {"every_epochs", 2}}).starts_with("e.json /stages/0/schedule/every_epochs: "));
  CHECK(with({{"kind", "step"}, {"warmup_epochs", 1}}).starts_with("e.json /stages/0/schedule/kind: "));
  CHECK(with({{"kind", "exponential"}, {"every_epochs", 5}}) == "");
}

TEST_CASE("what no stage looks at is refused") {
  Json calibration = tests::small_experiment();
  calibration["stages"] = from_text(R"([{"kind": "calibrate"}])");
  for (const char* key : {"augmentation", "checkpoint_every"}) calibration.erase(key);
  CHECK(refusal(calibration) == "");
  const Json values =
      from_text(R"({"augmentation": {"crop_padding": 1}, "shards": 2, "loss": {"kind": "squared_hinge"}, "checkpoint_every": 7})");
  for (const auto& [key, value] : values.items()) {
    Json json = calibration;
    json[key] = value;
    CHECK(refusal(json) == "e.json /" + key + ": has no effect with the stages 'calibrate', only with 'float' or 'qat'");
    CHECK(refusal_with({{"/" + key, value}}) == "");
  }
  Json floating = tests::small_experiment();
  floating["stages"].erase(2);
  floating["stages"].erase(1);
  CHECK(refusal(floating) == "");
  floating["export"] = false;
  CHECK(refusal(floating) == "e.json /export: has no effect with the stages 'float', only with 'calibrate' or 'qat'");
}

TEST_CASE("augmentation of what aren't pictures is refused") {
  const Json vectors = from_text(R"({"input": {"shape": [6]}, "layers": [{"op": "linear", "features": 4}]})");
  CHECK(refusal_with({{"/model", vectors}, {"/augmentation", {{"flip", true}}}}) ==
        "e.json /augmentation/flip: found true, but the model's input is [1,6], expected pictures [N,C,H,W]");
  CHECK(refusal_with({{"/model", vectors}, {"/augmentation", {{"crop_padding", 2}}}})
            .starts_with("e.json /augmentation/crop_padding: found 2, "));
  CHECK(refusal_with({{"/model", vectors}, {"/augmentation", {{"flip", false}, {"crop_padding", 0}}}}) == "");
}

TEST_CASE("a layer that nobody reads is refused") {
  const auto with = [](const std::string& layers, const std::string& more = "") {
    return refusal_with({{"/model", Json::parse(R"({"input": {"shape": [1, 12, 12]}, "layers": [)" + layers + "]" + more + "}")}});
  };
  const std::string head = R"({"op": "conv2d", "name": "c", "out_channels": 2, "kernel": 3}, )";
  const std::string tail = R"({"op": "flatten", "name": "f", "inputs": ["c"]}, {"op": "linear", "name": "l", "features": 4})";
  CHECK(with(head + tail) == "");
  CHECK(with(head + R"({"op": "relu", "name": "r"}, )" + tail) ==
        "e.json /model /layers/1: relu 'r' has no effect: no layer reads it, and the output is 'l'");
  // Of a branch its end.
  CHECK(with(head + R"({"op": "relu", "name": "r"}, {"op": "tanh"}, )" + tail) ==
        "e.json /model /layers/2: tanh 'tanh' has no effect: no layer reads it, and the output is 'l'");
  // What is named as the output cuts off what stands below it, and nothing else.
  CHECK(with(head + tail + R"(, {"op": "relu", "name": "r"})", R"(, "output": "l")") == "");
  CHECK(with(head + R"({"op": "relu", "name": "r"}, )" + tail + R"(, {"op": "relu"})", R"(, "output": "l")") ==
        "e.json /model /layers/1: relu 'r' has no effect: no layer reads it, and the output is 'l'");
  CHECK(with(head + tail, R"(, "output": "l")") == "");
  const std::string block = R"(, "blocks": {"b": {"layers": [{"op": "relu", "name": "r"}, {"op": "tanh", "inputs": ["$input"]}]}})";
  CHECK(with(head + R"({"block": "b"}, {"op": "flatten"}, {"op": "linear", "name": "l", "features": 4})", block) ==
        "e.json /model /blocks/b/layers/0: relu 'b.r' has no effect: no layer reads it, and the output is 'l'");
  // From without a layer of a block may be read by its whole name.
  CHECK(with(head + R"({"block": "b"}, {"op": "add", "inputs": ["b", "b.r"]}, {"op": "flatten"}, {"op": "linear", "features": 4})",
             block) == "");
}

TEST_CASE("a dilation that moves nothing is refused") {
  const auto with = [](const std::string& keys, const std::string& more = "") {
    return refusal_with({{"/model", Json::parse(R"({"input": {"shape": [1, 12, 12]}, "layers": [{"op": "conv2d", "out_channels": 2, )" +
                                                keys + R"(}, {"op": "flatten"}, {"op": "linear", "features": 4}])" + more + "}")}});
  };
  CHECK(with(R"("kernel": 1)") == "");
  CHECK(with(R"("kernel": 1, "dilation": 1)") == "");
  CHECK(with(R"("kernel": 1, "dilation": 2)") == "e.json /model /layers/0/dilation: found 2, which has no effect on a kernel of 1");
  CHECK(with(R"("kernel": [1, 3], "dilation": [2, 1])") ==
        "e.json /model /layers/0/dilation: found [2,1], which has no effect on a kernel of [1,3]");
  CHECK(with(R"("kernel": [1, 3], "dilation": 2)") == "");
  CHECK(with(R"("kernel": [1, 3], "dilation": [1, 2])") == "");
}

TEST_CASE("a model that a run has begun with is read, whatever has no effect in it") {
  const Json model = from_text(R"({"input": {"shape": [4]}, "layers": [{"op": "linear", "name": "l", "features": 4},
                                   {"op": "relu", "name": "r"}, {"op": "linear", "name": "m", "features": 4, "inputs": ["l"]}]})");
  Json json = tests::small_experiment();
  json["model"] = model;
  json.erase("augmentation");
  CHECK(readers::read_experiment(json, "e.json", "/data").idle.size() == 1);
  CHECK(complaint_of([&] { readers::read_model(model, "m.json", 0); }) ==
        "m.json /layers/1: relu 'r' has no effect: no layer reads it, and the output is 'm'");
}

TEST_CASE("batch-norm over one value a channel is refused, unless its statistics are frozen") {
  const Json model =
      from_text(R"({"input": {"shape": [6]}, "layers": [{"op": "linear", "features": 4}, {"op": "batch_norm", "name": "bn"}]})");
  const std::vector<std::pair<std::string, Json>> one{{"/model", model}, {"/augmentation", Json::object()}, {"/batch", 1}};
  CHECK(refusal_with(one) == "e.json /batch: found 1, with which the batch_norm 'bn' has one value a channel, expected at least 2");
  auto sharded = one;
  sharded[2].second = 4;
  CHECK(refusal_with(sharded) == "");
  sharded.emplace_back("/shards", 4);
  CHECK(refusal_with(sharded).starts_with("e.json /batch: found 4 in 4 shards, "));
  Json frozen = tests::small_experiment();
  frozen["model"] = model;
  frozen["augmentation"] = Json::object();
  frozen["batch"] = 1;
  frozen["recipe"] = from_text(R"({"schedule": {"freeze_batch_norm_epoch": 0}})");
  frozen["stages"].erase(0);
  CHECK(refusal(frozen) == "");
  CHECK(refusal_with({{"/batch", 1}}) == "");  // 144 values a channel
}

TEST_CASE("a block that no layer uses is refused, and a parameter that no layer of its block reads") {
  Json model = from_text(R"({
    "input": {"shape": [1, 12, 12]},
    "blocks": {"b": {"parameters": {"features": null}, "layers": [{"op": "flatten"}, {"op": "linear", "features": "$features"}]}},
    "layers": [{"block": "b", "with": {"features": 4}}]})");
  CHECK(refusal_with({{"/model", model}}) == "");
  model["blocks"]["b"]["parameters"]["feature"] = 3;
  CHECK(refusal_with({{"/model", model}}) ==
        "e.json /model/blocks/b/parameters/feature: has no effect: no layer of the block reads '$feature'");
  model["blocks"]["b"]["parameters"].erase("feature");
  model["blocks"]["c"] = from_text(R"({"layers": [{"block": "b"}]})");
  CHECK(refusal_with({{"/model", model}}) == "e.json /model/blocks/c: has no effect: no layer uses the block");
}

TEST_CASE("overrides that match nothing or set what their layers don't have are refused") {
  const auto with = [](const Json& overrides) { return refused_recipe({{"overrides", overrides}}); };
  CHECK(with(from_text(R"([{"pattern": "con", "weight_bits": 4}])")) ==
        "e.json /recipe/overrides/0/pattern: found 'con', which matches no layer and no input of the model (did you mean 'conv'?)");
  CHECK(with(from_text(R"([{"pattern": "conv*", "weight_bits": 4}, {"pattern": "relu", "weight_bits": 4}])")) ==
        "e.json /recipe/overrides/1/weight_bits: found 4, which has no effect: 'relu' has no weights that this recipe quantizes to so many "
        "bits");
  CHECK(with(from_text(R"([{"pattern": "fc", "activation_bits": 4}])")) ==
        "e.json /recipe/overrides/0/activation_bits: found 4, which has no effect: 'fc' has no quantizer behind it");
  CHECK(with(from_text(R"([{"pattern": "x", "skip": true}])")) ==
        "e.json /recipe/overrides/0/skip: found true, which has no effect: 'x' has nothing that is quantized");
  CHECK(with(from_text(R"([{"pattern": "fc"}])")) ==
        "e.json /recipe/overrides/0: sets nothing, expected 'weight_bits', 'activation_bits' or 'skip'");
  // The quantizer of a group is set by any of its layers; what moves integers has none of its own.
  for (const char* name : {"x", "conv", "bn", "relu", "*"}) CHECK(with({{{"pattern", name}, {"activation_bits", 4}}}) == "");
  for (const char* name : {"pool", "flat", "drop"}) CHECK(with({{{"pattern", name}, {"activation_bits", 4}}}) != "");
  for (const char* name : {"conv", "fc"}) {
    CHECK(with({{{"pattern", name}, {"weight_bits", 8}}}) == "");  // says what holds anyway
    CHECK(with({{{"pattern", name}, {"skip", true}}}) == "");
  }
  // That a later one wins is no reason to refuse an earlier one; that the layer is skipped is.
  CHECK(
      with(from_text(
          R"([{"pattern": "relu", "activation_bits": 6}, {"pattern": "conv", "activation_bits": 2}, {"pattern": "*", "activation_bits": 3}])")) ==
      "");
  CHECK(with(from_text(R"([{"pattern": "fc", "weight_bits": 4}, {"pattern": "fc", "skip": true}])"))
            .starts_with("e.json /recipe/overrides/0/weight_bits: "));
  CHECK(refused_recipe(from_text(R"({"weights": {"bits": 3}, "overrides": [{"pattern": "*", "weight_bits": 4}]})")) == "");
  CHECK(refused_recipe(from_text(R"({"base": "binaryconnect", "overrides": [{"pattern": "fc", "weight_bits": 4}]})")) != "");
  CHECK(refused_recipe(from_text(R"({"base": "binaryconnect", "overrides": [{"pattern": "conv", "activation_bits": 4}]})")) == "");
}

TEST_CASE("keys of a recipe that nothing depends on are refused, those of its base are not") {
  for (const std::string& name : ir::kind_names(passes::recipe_spec())) {
    CHECK(refused_recipe(name) == "");
    CHECK(refused_recipe({{"base", name}, {"name", "mine"}}) == "");
  }
  const char* const idle[][2] = {
      {R"({"weights": {"stochastic": true}})", "/weights/stochastic: has no effect with the method 'uniform', only with 'binary'"},
      {R"({"weights": {"binary_inference": false}})",
       "/weights/binary_inference: has no effect with the method 'uniform', only with 'binary'"},
      {R"({"base": "binaryconnect", "weights": {"bits": 4}})",
       "/weights/bits: has no effect with the method 'binary', only with 'lsq' or 'uniform'"},
      {R"({"base": "binaryconnect", "weights": {"granularity": "per_tensor"}})",
       "/weights/granularity: has no effect with the method 'binary', only with 'lsq', 'ternary' or 'uniform'"},
      {R"({"base": "binaryconnect", "quantize_output": true})", "/quantize_output: found true, which has no effect: "},
      {R"({"base": "binaryconnect", "activations": {"observer": "min_max"}})",
       "/activations/observer: found \"min_max\", which has no effect: "},
      {R"({"activations": {"bits": 0, "symmetric": true}})", "/activations/symmetric: found true, which has no effect: "},
      {R"({"activations": {"bits": 0}, "quantize_output": true})", "/quantize_output: found true, which has no effect: "},
      {R"({"activations": {"observer": "min_max", "momentum": 0.1}})",
       "/activations/momentum: has no effect with the observer 'min_max', only with 'moving_average'"},
      {R"({"activations": {"bits": 0}, "batch_norm": {"fold": "weight"}})", "/batch_norm/fold: found \"weight\", which has no effect: "},
      {R"({"activations": {"bits": 0}, "requantization": "fixed_point", "bias": "float32"})",
       "/bias: found \"float32\", which has no effect: "},
      {R"({"activations": {"bits": 0}, "schedule": {"freeze_observers_epoch": 1}})",
       "/schedule/freeze_observers_epoch: found 1, which has no effect: "},
      {R"({"activations": {"bits": 0}, "schedule": {"activation_delay_steps": 3}})",
       "/schedule/activation_delay_steps: found 3, which has no effect: "},
  };
  for (const auto& [text, place] : idle) {
    const std::string recipe = text;
    CAPTURE(recipe);
    CHECK(refused_recipe(from_text(recipe.c_str())).starts_with("e.json /recipe" + std::string(place)));
  }
  for (const char* recipe : {R"({"weights": {"bits": 8, "clip": 1, "glorot_lr_scale": true}, "estimator": "plain", "backward": "latent"})",
                             R"({"weights": {"method": "uniform", "granularity": "per_tensor"}, "batch_norm": {"fold": "weight"}})",
                             R"({"base": "binaryconnect", "weights": {"stochastic": false}, "estimator": "clipped"})",
                             R"({"activations": {"bits": 0, "momentum": 0.1}, "overrides": [{"pattern": "conv", "activation_bits": 8}]})",
                             R"({"activations": {"bits": 0}, "schedule": {"freeze_observers_epoch": -1, "activation_delay_steps": 0}})",
                             R"({"requantization": "fixed_point", "batch_norm": {"fold": "weight"}, "quantize_output": true})"}) {
    CAPTURE(std::string(recipe));
    CHECK(refused_recipe(from_text(recipe)) == "");
  }
  const Json no_norm = from_text(R"({"input": {"shape": [1, 12, 12]}, "layers": [{"op": "flatten"}, {"op": "linear", "features": 4}]})");
  CHECK(refusal_with({{"/model", no_norm}, {"/recipe", from_text(R"({"schedule": {"freeze_batch_norm_epoch": 1}})")}}) ==
        "e.json /recipe/schedule/freeze_batch_norm_epoch: found 1, which has no effect: the model has no batch-norm");
  // Of training, where nothing trains with quantization.
  Json calibration = tests::small_experiment();
  calibration["stages"].erase(2);
  for (const char* recipe : {R"({"estimator": "plain"})", R"({"backward": "latent"})", R"({"weights": {"clip": 1}})"}) {
    calibration["recipe"] = from_text(recipe);
    CHECK(refusal(calibration) != "");
  }
  calibration["recipe"] = from_text(R"({"schedule": {"freeze_observers_epoch": 1}})");
  CHECK(refusal(calibration) == "e.json /recipe/schedule/freeze_observers_epoch: found 1, which has no effect: there is no qat stage");
}

TEST_CASE("every key of a recipe is refused on a model that has nothing to quantize") {
  Json model = from_text(R"({"input": {"shape": [4]}, "layers": [{"op": "relu"}]})");
  const Json recipe = Json::parse(passes::to_json({}));
  std::vector<std::string> keys;
  leaves(recipe, "", keys);
  CHECK(keys.size() > 15);
  for (const std::string& key : keys) {
    CAPTURE(key);
    if (key == "/name" || key == "/quantize_output" || key == "/weights/method")
      continue;  // shown; the output; float activations go with one
    const Json::json_pointer pointer(key);
    Json written = Json::object();
    written[pointer] = recipe.at(pointer);
    if (key.starts_with("/schedule/")) written[pointer] = 1;
    CHECK(refusal_with({{"/model", model}, {"/augmentation", Json::object()}, {"/recipe", written}}) != "");
  }
}

TEST_CASE("a delay or freeze that no qat stage reaches is refused") {
  const auto with = [](const char* key, double value) { return Json{{"schedule", {{key, value}}}}; };
  for (const char* key : {"freeze_observers_epoch", "freeze_batch_norm_epoch"}) {
    CHECK(unreached(with(key, 1.5), 4) == "");
    CHECK(unreached(with(key, 1.75), 4) == "");
    CHECK(unreached(with(key, 1.8), 4)
              .starts_with("e.json /recipe/schedule/" + std::string(key) + ": found 1.8, which no qat stage reaches"));
    CHECK(unreached(with(key, 2), 4) != "");
    CHECK(unreached(with(key, -1), 4) == "");
  }
  const auto delay = [](int steps) { return Json{{"schedule", {{"activation_delay_steps", steps}}}}; };
  CHECK(unreached(delay(7), 4) == "");
  CHECK(unreached(delay(8), 4) ==
        "e.json /recipe/schedule/activation_delay_steps: found 8, which no qat stage reaches: the longest has 2 epochs of 4 steps; "
        "expected less, or 0 for never");
  CHECK(unreached("jacob2017", 4) == "");  // its delay is 500 steps
  CHECK(unreached({{"base", "jacob2017"}}, 4) == "");
}

TEST_CASE("all settings of the examples have an effect") {
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator(STAIR_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".json") continue;
    CAPTURE(entry.path().string());
    const readers::Experiment experiment = readers::load_experiment(entry.path().string());
    CHECK(complaint_of([&] { readers::check_settings(experiment); }) == "");
    CHECK(complaint_of([&] { readers::check_schedule_reach(experiment, 60'000 / experiment.batch); }) == "");
    ++examples;
  }
  CHECK(examples >= 9);
}

TEST_CASE("an experiment that a checkpoint keeps may have keys of other kinds: version 1 took them, and nobody is asked again") {
  ir::Json json = tests::small_experiment();
  json["stages"][0]["optimizer"] = {{"kind", "adam"}, {"learning_rate", 0.1}, {"momentum", 0.9}};
  json["stages"][0]["schedule"] = {{"kind", "constant"}, {"gamma", 0.5}};
  json["loss"] = {{"kind", "squared_hinge"}, {"label_smoothing", 0.1}};
  const readers::Experiment kept = readers::read_experiment(json, "e.json", "/data");
  CHECK(kept.stages[0].options.object("optimizer").text("kind") == "adam");
  CHECK_FALSE(kept.stages[0].options.object("optimizer").has("momentum"));
  CHECK(kept.idle.size() == 3);
  CHECK_THROWS_AS(readers::check_settings(kept), Error);
  json["loss"]["label_smoothing"] = "much";
  CHECK_THROWS_WITH_AS(readers::read_experiment(json, "e.json", "/data"), "e.json /loss/label_smoothing: found \"much\", expected a number",
                       Error);
}
