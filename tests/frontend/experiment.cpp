#include "frontend/readers/experiment.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "frontend/readers/experiment_keys.h"
#include "frontend/readers/json_schema.h"
#include "frontend/stages/training.h"
#include "ir/error.h"
#include "ir/text.h"
#include "passes/recipe.h"
#include "runtime/file.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using ir::Json;
using readers::Experiment;

namespace {

Experiment read(const Json& json) {
  return readers::read_experiment(json, "e.json", "/data");
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// The small experiment with one value put at the pointer.
std::string error_with(const std::string& pointer, const std::string& value) {
  Json json = tests::small_experiment();
  json[Json::json_pointer(pointer)] = Json::parse(value);
  return error_of([&] { read(json); });
}

std::string error_without(const std::string& object, const std::string& key) {
  Json json = tests::small_experiment();
  json[Json::json_pointer(object)].erase(key);
  return error_of([&] { read(json); });
}

bool begins(const std::string& text, const std::string& beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

}  // namespace

TEST_CASE("an experiment is read with its defaults, and its paths are absolute") {
  Json json = tests::small_experiment();
  for (const char* key : {"name", "batch", "eval_batch", "seed", "checkpoint_every", "augmentation"}) json.erase(key);
  const Experiment experiment = read(json);
  CHECK(experiment.name == "e");
  CHECK(experiment.batch == 64);
  CHECK(experiment.eval_batch == 100);
  CHECK(experiment.seed == 1);
  CHECK(experiment.checkpoint_every == 500);
  CHECK(experiment.exports);
  CHECK(experiment.recipe.name() == "int8");
  CHECK(experiment.data.train.files.at("images") == std::vector<std::string>{"/data/train.images"});
  CHECK(experiment.stages[1].name == "ptq");
  CHECK(experiment.stages[2].name == "qat");
  CHECK(stages::optimizer_options(experiment.stages[0], 12).integer("epochs") == 2);
  CHECK(stages::optimizer_options(experiment.stages[0], 12).integer("steps_per_epoch") == 12);
}

TEST_CASE("the JSON that a checkpoint keeps reads back to the same experiment") {
  Json json = tests::small_experiment();
  json["recipe"] = Json::parse(R"({"base": "jacob2017", "weights": {"bits": 4}})");
  json["start"] = "old.safetensors";
  const Experiment experiment = read(json);
  CHECK(experiment.start.checkpoint == "/data/old.safetensors");
  const Experiment again = readers::read_experiment(Json::parse(experiment.json.dump()), "elsewhere", "/another");
  CHECK(again.json == experiment.json);
  CHECK(again.name == experiment.name);
  CHECK(again.start.checkpoint == experiment.start.checkpoint);
  CHECK(again.data.test.files == experiment.data.test.files);
  CHECK(ir::print(again.model) == ir::print(experiment.model));
  CHECK(passes::to_json(again.recipe) == passes::to_json(experiment.recipe));
  CHECK(stages::optimizer_options(again.stages[2], 7) == stages::optimizer_options(experiment.stages[2], 7));
}

TEST_CASE("every built-in recipe is accepted by its name and as a base") {
  for (const std::string& name : ir::kind_names(passes::recipe_spec())) {
    Json json = tests::small_experiment();
    json["recipe"] = name;
    CHECK(read(json).recipe.name() == name);
    json["recipe"] = {{"base", name}};
    CHECK(passes::to_json(read(json).recipe) == passes::to_json(passes::recipe_from_json(Json(name).dump())));
  }
}

TEST_CASE("misspelt keys are told at every level, with the nearest one") {
  CHECK(begins(error_with("/batchs", "8"), "e.json /batchs: unknown key 'batchs' (did you mean 'batch'?), expected "));
  CHECK(begins(error_with("/data/formt", "\"idx\""), "e.json /data/formt: unknown key 'formt' (did you mean 'format'?), expected "));
  CHECK(begins(error_with("/augmentation/flipp", "true"), "e.json /augmentation/flipp: unknown key 'flipp' (did you mean 'flip'?)"));
  CHECK(begins(error_with("/loss", R"({"kind": "cross_entropy", "smoothing": 1})"), "e.json /loss/smoothing: unknown key 'smoothing'"));
  CHECK(begins(error_with("/stages/0/epoch", "1"), "e.json /stages/0/epoch: unknown key 'epoch' (did you mean 'epochs'?)"));
  CHECK(begins(error_with("/stages/2/optimizer/lerning_rate", "1"),
               "e.json /stages/2/optimizer/lerning_rate: unknown key 'lerning_rate' (did you mean 'learning_rate'?)"));
  CHECK(begins(error_with("/stages/2/schedule/gama", "1"), "e.json /stages/2/schedule/gama: unknown key 'gama' (did you mean 'gamma'?)"));
  CHECK(begins(error_with("/model/layers/0/strid", "1"), "e.json /model /layers/0/strid: unknown key 'strid' (did you mean 'stride'?)"));
  CHECK(
      error_with("/data/train/lables", "\"a\"") ==
      "e.json /data/train: data of the format 'idx': unknown key 'lables' (did you mean 'labels'?), expected 'images', 'labels' or 'only'");
}

TEST_CASE("wrong types, choices and bounds are told with what was found and expected") {
  CHECK(error_with("/batch", "\"8\"") == "e.json /batch: found \"8\", expected an integer");
  CHECK(error_with("/batch", "8.0") == "e.json /batch: found 8.0, expected an integer");
  CHECK(error_with("/batch", "0") == "e.json /batch: found 0, expected at least 1");
  CHECK(error_with("/batch", "18446744073709551615") == "e.json /batch: found 18446744073709551615, expected at most 1000000");
  CHECK(error_with("/seed", "-1") == "e.json /seed: found -1, expected at least 0");
  CHECK(error_with("/seed", "18446744073709551615") == "e.json /seed: found 18446744073709551615, expected at most 9007199254740992");
  CHECK(error_with("/model", "3") == "e.json /model: found 3, expected a text or an object");
  CHECK(error_with("/recipe", "[]") == "e.json /recipe: found a list, expected a text or an object");
  CHECK(error_with("/stages", "[]") == "e.json /stages: found a list of 0, expected at least 1");
  CHECK(error_with("/stages/0", "1") == "e.json /stages/0: found 1, expected an object");
  CHECK(error_with("/stages/0/kind", "\"flaot\"") ==
        "e.json /stages/0/kind: found \"flaot\" (did you mean 'float'?), expected 'float', 'calibrate' or 'qat'");
  CHECK(error_with("/stages/0/epochs", "9223372036854775807") ==
        "e.json /stages/0/epochs: found 9223372036854775807, expected at most 1000000");
  CHECK(error_with("/stages/0/optimizer/learning_rate", "0") == "e.json /stages/0/optimizer/learning_rate: found 0, expected more than 0");
  CHECK(error_with("/stages/0/optimizer/kind", "\"adm\"") ==
        "e.json /stages/0/optimizer/kind: found \"adm\" (did you mean 'adam'?), expected 'adam', 'adamw' or 'sgd'");
  CHECK(error_with("/data/std", "[0]") == "e.json /data/std/0: found 0, expected more than 0");
  CHECK(error_with("/data/train/images", "3") == "e.json /data/train/images: found 3, expected a text or a list of texts");
  CHECK(error_with("/export", "\"yes\"") == "e.json /export: found \"yes\", expected true or false");
  for (const char* key : {"model", "data", "stages"}) {
    CHECK(begins(error_without("", key), "e.json /: the key '" + std::string(key) + "' is missing, expected a"));
  }
  CHECK(error_without("/data", "test") ==
        "e.json /data: the key 'test' is missing, expected an object (what they are evaluated on in the end)");
  CHECK(error_without("/stages/0/optimizer", "learning_rate") ==
        "e.json /stages/0/optimizer: the key 'learning_rate' is missing, expected a number (after warm-up)");
}

TEST_CASE("data that the format or the model can't mean is refused before anything is loaded") {
  CHECK(error_with("/data/format", "\"ids\"") ==
        "e.json /data/format: found \"ids\" (did you mean 'idx'?), expected 'cifar10', 'cifar100', 'csv', 'folder', 'idx', 'none', 'npy' "
        "or 'npz'");
  CHECK(error_without("/data/test", "labels") == "e.json /data/test: data of the format 'idx': 'labels' is missing");
  CHECK(error_with("/data/train/images", R"(["a", "b"])") ==
        "e.json /data/train: data of the format 'idx': 'images' is a list of 2 files, expected one");
  CHECK(error_with("/data/mean", "[0.1, 0.2]") == "e.json /data/mean: found 2 numbers, expected 1");
  Json colours = tests::small_experiment();
  colours["model"]["input"]["shape"][0] = 3;
  colours["data"]["std"] = {1, 1};
  CHECK(error_of([&] { read(colours); }) == "e.json /data/std: found 2 numbers, expected 1 or 3, one a channel");
}

TEST_CASE("recipe errors have pointers into the experiment") {
  CHECK(begins(error_with("/recipe", "\"int9\""), "e.json /recipe: found \"int9\" (did you mean 'int8'?)"));
  CHECK(begins(error_with("/recipe", R"({"base": "int9"})"), "e.json /recipe/base: found \"int9\" (did you mean 'int8'?)"));
  CHECK(error_with("/recipe", R"({"weights": {"bits": 9}})") == "e.json /recipe/weights/bits: found 9, expected at most 8");
  CHECK(begins(error_with("/recipe", R"({"weights": {"bit": 4}})"),
               "e.json /recipe/weights/bit: unknown key 'bit' (did you mean 'bits'?), expected 'clip', "));
  CHECK(begins(error_with("/recipe", R"({"weigths": {}})"), "e.json /recipe/weigths: unknown key 'weigths' (did you mean 'weights'?)"));
  CHECK(error_with("/recipe", R"({"requantization": "fixed"})") ==
        "e.json /recipe/requantization: found \"fixed\", expected 'float', 'fixed_point' or 'power_of_two'");
  CHECK(error_with("/recipe", R"({"overrides": [{"weight_bits": 4}]})") ==
        "e.json /recipe/overrides/0: the key 'pattern' is missing, expected a text (a layer name with '*' and '?')");
}

TEST_CASE("stages have what their kind needs, and names of their own") {
  CHECK(error_with("/stages/1/epochs", "1") ==
        "e.json /stages/1/epochs: has no effect with the stage 'calibrate', only with 'float' or 'qat'");
  CHECK(error_with("/stages/1/optimizer", R"({"learning_rate": 1})") ==
        "e.json /stages/1/optimizer: has no effect with the stage 'calibrate', only with 'float' or 'qat'");
  CHECK(error_with("/stages/0/batches", "1") == "e.json /stages/0/batches: has no effect with the stage 'float', only with 'calibrate'");
  CHECK(error_without("/stages/0", "epochs") ==
        "e.json /stages/0: the key 'epochs' is missing, expected an integer (passes over the training data)");
  CHECK(error_without("/stages/2", "optimizer") ==
        "e.json /stages/2: the key 'optimizer' is missing, expected an object (how parameters follow their gradients)");
  CHECK(error_with("/stages/2/name", "\"ptq\"") == "e.json /stages/2/name: two stages are named 'ptq'");
  CHECK(error_with("/stages/2/name", "\"../x\"") == "e.json /stages/2/name: found '../x', expected the beginning of a file name");
  CHECK(error_with("/stages/2/name", "\"\"") == "e.json /stages/2/name: found '', expected the beginning of a file name");
  // Files that a run has beside those of its stages.
  for (const char* name : {"last", "config", "summary", "float.best"}) {
    CHECK(error_with("/stages/2/name", "\"" + std::string(name) + "\"") ==
          "e.json /stages/2/name: found '" + std::string(name) + "', which is the name of another file of the run");
  }
}

TEST_CASE("--set puts values at dotted paths") {
  Json json = tests::small_experiment();
  readers::set_value(json, "stages.0.epochs=7");
  readers::set_value(json, "recipe.weights.bits=4");
  readers::set_value(json, "name=tiny");
  readers::set_value(json, "data.mean=[0.5]");
  readers::set_value(json, "data.test.images=a=b");
  CHECK(json["stages"][0]["epochs"] == 7);
  CHECK(json["recipe"] == Json::parse(R"({"weights": {"bits": 4}})"));
  CHECK(json["name"] == "tiny");
  CHECK(json["data"]["mean"] == Json::array({0.5}));
  CHECK(json["data"]["test"]["images"] == "a=b");
}

TEST_CASE("--set tells what it can't do") {
  Json json = tests::small_experiment();
  const auto error = [&](const std::string& assignment) { return error_of([&] { readers::set_value(json, assignment); }); };
  CHECK(error("batch") == "--set batch: expected path=value, like stages.0.epochs=1");
  CHECK(error("=3") == "--set =3: expected path=value, like stages.0.epochs=1");
  CHECK(error("stages.3.epochs=1") == "--set stages.3.epochs=1: '3' is no index of a list of 3");
  CHECK(error("stages.first=1") == "--set stages.first=1: 'first' is no index of a list of 3");
  CHECK(error("batch.size=1") == "--set batch.size=1: there is nothing below '8'");
  CHECK(error("name=\xff") == "--set name=\xff: isn't UTF-8");
  CHECK(error(R"(recipe={"bits": 1, "bits": 2})") == R"(--set recipe={"bits": 1, "bits": 2}: the key 'bits' stands twice in one object)");
}

TEST_CASE("what isn't JSON is told with line and column") {
  const auto error = [](const std::string& text) { return error_of([&] { ir::parse_json(text, "e.json"); }); };
  CHECK(begins(error("{\n  \"a\": 1,\n}"), "e.json:3:1: is not JSON: syntax error while parsing object key"));
  CHECK(begins(error(""), "e.json:1:1: is not JSON: "));
  CHECK(begins(error("{\"a\": \"\xff\"}"), "e.json:1:8: is not JSON: "));
  CHECK(error(R"({"a": {"b": 1, "b": 2}})") == "e.json: the key 'b' stands twice in one object");
  CHECK(begins(error(R"({"a": 1e999})"), "e.json: is not JSON: number overflow"));
  CHECK(error(std::string(100'000, '[') + std::string(100'000, ']')) == "e.json: is nested more than 100 deep");
}

namespace {

// All keys that specs name, in objects, in lists of them and in their kinds.
void collect(const std::vector<ir::AttributeSpec>& specs, std::set<std::string>& keys) {
  for (const ir::AttributeSpec& spec : specs) {
    keys.insert(spec.name);
    if (spec.name == "recipe") continue;  // has a page of its own (tests/passes/recipes_page.cpp)
    collect(spec.members, keys);
    if (spec.kinds == nullptr) continue;
    for (const ir::KindSpec& kind : spec.kinds()) {
      keys.insert(kind.name);
      collect(kind.members, keys);
    }
  }
}

}  // namespace

TEST_CASE("the schemas in the repository are those that `stair schema` prints") {
  for (const std::string& name : readers::schema_names()) {
    const std::string path = STAIR_SOURCE_DIR "/docs/schemas/" + name + ".schema.json";
    CHECK_MESSAGE(readers::load_json(path) == readers::json_schema(name), name);
  }
}

TEST_CASE("every key and kind of an experiment is in its documentation") {
  std::set<std::string> keys;
  collect(readers::experiment_keys(), keys);
  const std::string page = runtime::read_file(STAIR_SOURCE_DIR "/docs/format-experiment-json.md");
  for (const std::string& key : keys)
    CHECK_MESSAGE((page.find("`" + key + "`") != std::string::npos || page.find("\"" + key + "\"") != std::string::npos), key);
  CHECK(keys.size() > 40);
}

TEST_CASE("all keys of an experiment are read") {
  Json json = tests::small_experiment();
  json["$schema"] = "experiment.schema.json";
  json["shards"] = 4;
  json["loss"] = {{"label_smoothing", 0.1}};
  json["recipe"] = "classic";
  json["start"] = "a.safetensors";
  json["plugins"] = {"/backends/mine.so"};
  json["export"] = false;
  json["stages"][0]["name"] = "first";
  json["stages"][0]["optimizer"] = {{"kind", "adamw"}, {"learning_rate", 0.1}, {"beta1", 0.9}, {"beta2", 0.99},
                                    {"eps", 1e-8},     {"weight_decay", 0.1},  {"max_norm", 1}};
  json["stages"][0]["schedule"] = {{"kind", "step"}, {"warmup_epochs", 0.5}, {"every_epochs", 2}, {"gamma", 0.5}};
  const Experiment experiment = read(json);
  CHECK_FALSE(experiment.exports);
  CHECK(experiment.plugins == std::vector<std::string>{"/backends/mine.so"});
  const ir::Attributes& optimizer = experiment.stages[0].options.object("optimizer");
  CHECK(optimizer.text("kind") == "adamw");
  CHECK(optimizer.number("beta2") == 0.99);
  CHECK(optimizer.number("max_norm") == 1);
  const ir::Attributes& schedule = experiment.stages[0].options.object("schedule");
  CHECK(schedule.number("warmup_epochs") == 0.5);
  CHECK(schedule.number("every_epochs") == 2);
  CHECK_FALSE(experiment.stages[1].options.has("optimizer"));
  CHECK(experiment.loss.object("loss").text("kind") == "cross_entropy");
  CHECK(experiment.loss.object("loss").number("label_smoothing") == 0.1);
  CHECK(experiment.shards == 4);
}
