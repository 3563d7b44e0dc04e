#include "frontend/readers/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "backends/plugin.h"
#include "frontend/importer.h"
#include "frontend/readers/experiment_keys.h"
#include "frontend/readers/model_reader.h"
#include "ir/error.h"
#include "ir/examples.h"
#include "ir/json_object.h"
#include "ir/utf8.h"

namespace stair::readers {
namespace {

std::string absolute(const std::string& path, const std::string& folder) {
  const std::filesystem::path given(path);
  const std::filesystem::path base = folder.empty() ? std::filesystem::current_path() : std::filesystem::absolute(folder);
  std::string whole = (base / given).lexically_normal().string();  // an absolute path replaces the base
  if (!ir::is_utf8(whole)) throw Error(whole + ": isn't UTF-8, which the files of a run, being JSON, can't name");
  return whole;
}

runtime::DatasetFiles read_files(Json& json, const std::string& folder, const std::string& where) {
  runtime::DatasetFiles files;
  for (auto& [key, value] : json.items()) {
    if (value.is_string()) value = Json::array({value});
    const bool paths =
        value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& path) { return path.is_string(); });
    if (!paths) throw Error(fmt::format("{}/{}: found {}, expected a text or a list of texts", where, key, ir::shown(value)));
    for (Json& path : value) {
      path = absolute(path, folder);
      files[key].push_back(path);
    }
  }
  return files;
}

void read_model_in_place(Experiment& experiment, Json& json, const std::string& source, const std::string& folder) {
  Json& model = json["model"];
  if (!model.is_string()) {
    experiment.model = read_model(model, source + " /model", experiment.seed, &experiment.idle);
    return;
  }
  const std::string path = absolute(model, folder);
  frontend::Imported imported = frontend::import_model(path, experiment.seed, &experiment.idle);
  if (const auto meeting = ir::where_examples_meet(imported.model)) throw Error(path + ": " + meeting->message);
  experiment.model = std::move(imported.model);
  model = imported.in_place.is_null() ? Json(path) : std::move(imported.in_place);
}

// A name that becomes that of a file or folder must not lead to another place.
void check_file_name(const std::string& name, const std::string& where, const char* expected) {
  constexpr std::size_t longest = 200;
  const auto unprintable = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(name.begin(), name.end(), unprintable)) throw Error(where + ": has a control character, expected " + expected);
  if (name.empty() || name.find_first_of("/\\") != std::string::npos || name.front() == '.') {
    throw Error(where + ": found '" + name + "', expected " + expected);
  }
  if (name.size() > longest) throw Error(fmt::format("{}: has {} bytes, expected at most {}", where, name.size(), longest));
}

// A part of a file name that no file of a run has.
void check_stage_name(const std::string& name, const std::string& where) {
  check_file_name(name, where, "the beginning of a file name");
  if (name == "last" || name == "config" || name == "summary" || name.ends_with(".best")) {
    throw Error(where + ": found '" + name + "', which is the name of another file of the run");
  }
}

void check_normalization(const Experiment& experiment, const std::string& source) {
  try {
    runtime::check_normalization(experiment.data.normalization, experiment.model.type(experiment.model.inputs().front()));
  } catch (const Error& error) {
    throw Error(source + " /data" + error.what());
  }
}

void check_data_files(const Experiment& experiment, const std::string& source) {
  for (const auto& [key, files] : {std::pair{"train", &experiment.data.train}, std::pair{"test", &experiment.data.test}}) {
    try {
      runtime::check_files(experiment.data.format, *files);
    } catch (const Error& error) {
      throw Error(fmt::format("{} /data/{}: {}", source, key, error.what()));
    }
  }
}

stages::Stage read_stage(Experiment& experiment, const ir::Attributes& keys, const Json& written, const std::string& pointer) {
  const std::string& source = experiment.source;
  const std::string& kind = keys.text("kind");
  stages::Stage stage{stages::stage_kinds().find(kind), written.contains("name") ? keys.text("name") : kind, keys, experiment.recipe,
                      "/recipe"};
  if (written.contains("recipe")) {
    stage.recipe_pointer = pointer + "/recipe";
    stage.recipe = passes::read_recipe(written["recipe"], source, stage.recipe_pointer, &experiment.idle);
  }
  check_stage_name(stage.name, fmt::format("{} {}/name", source, pointer));
  return stage;
}

}  // namespace

void check_model(const ir::Graph& model, const std::string& source) {
  if (model.inputs().size() != 1 || model.outputs().size() != 1) {
    throw Error(
        fmt::format("{}: has {} inputs and {} outputs, expected one of each", source, model.inputs().size(), model.outputs().size()));
  }
  const ir::Type& input = model.type(model.inputs().front());
  if (input.dtype != ir::DType::f32 || input.shape.size() < 2) {
    throw Error(source + ": takes " + to_string(input) + ", expected f32 [N, ...]");
  }
  const ir::Type& output = model.type(model.outputs().front().value);
  if (output.dtype != ir::DType::f32 || output.shape.size() != 2) {
    throw Error(source + ": yields " + to_string(output) + ", expected f32 [N, classes]");
  }
}

Experiment read_experiment(Json json, const std::string& source, const std::string& folder) {
  Experiment experiment;
  const ir::Attributes keys = ir::read_object(json, experiment_keys(), source, "", &experiment.idle);
  experiment.source = source;
  experiment.seed = static_cast<std::uint64_t>(keys.integer("seed"));
  read_model_in_place(experiment, json, source, folder);
  check_model(experiment.model, source + " /model");
  experiment.name = json.contains("name") ? keys.text("name") : std::filesystem::path(source).stem().string();
  Json& data = json["data"];
  experiment.data.format = keys.object("data").text("format");
  experiment.data.train = read_files(data["train"], folder, source + " /data/train");
  experiment.data.test = read_files(data["test"], folder, source + " /data/test");
  experiment.data.normalization = {keys.object("data").numbers("mean"), keys.object("data").numbers("std")};
  check_data_files(experiment, source);
  check_normalization(experiment, source);
  experiment.augmentation = keys.object("augmentation");
  experiment.batch = keys.integer("batch");
  experiment.eval_batch = keys.integer("eval_batch");
  experiment.loss = {{"loss", keys.object("loss")}};
  experiment.recipe = passes::read_recipe(json.value("recipe", Json("int8")), source, "/recipe", &experiment.idle);
  if (json.contains("start")) {
    json["start"] = absolute(json["start"], folder);
    experiment.start = json["start"];
  }
  if (json.contains("plugins")) {
    for (Json& file : json["plugins"]) {
      file = absolute(file, folder);
      experiment.plugins.push_back(file);
    }
  }
  experiment.checkpoint_every = keys.integer("checkpoint_every");
  experiment.exports = keys.boolean("export");
  experiment.metrics.push_back(runtime::metrics().find("accuracy"));
  for (std::size_t i = 0; i < keys.texts("metrics").size(); ++i) {
    const runtime::Metric* metric = runtime::metrics().find(keys.texts("metrics")[i]);
    if (std::find(experiment.metrics.begin(), experiment.metrics.end(), metric) != experiment.metrics.end())
      throw Error(fmt::format("{} /metrics/{}: found '{}' a second time", source, i, metric->name));
    experiment.metrics.push_back(metric);
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < keys.objects("stages").size(); ++i) {
    const std::string pointer = fmt::format("/stages/{}", i);
    experiment.stages.push_back(read_stage(experiment, keys.objects("stages")[i].members(), json["stages"][i], pointer));
    if (!names.insert(experiment.stages.back().name).second) {
      throw Error(fmt::format("{} {}/name: two stages are named '{}'", source, pointer, experiment.stages.back().name));
    }
  }
  if (!ir::is_utf8(experiment.name)) throw Error(source + ": its name isn't UTF-8, expected another or a 'name' within");
  json["name"] = experiment.name;
  experiment.json = std::move(json);
  set_shards(experiment, keys.integer("shards"), source);
  return experiment;
}

void set_shards(Experiment& experiment, std::int64_t shards, const std::string& source) {
  if (shards < 1 || experiment.batch % shards != 0) {
    throw Error(fmt::format("{} /shards: found {}, expected a divisor of the batch of {}", source, shards, experiment.batch));
  }
  experiment.shards = shards;
  if (shards > 1) experiment.json["shards"] = shards;
}

void load_plugins(const Experiment& experiment, const std::string& source) {
  for (std::size_t i = 0; i < experiment.plugins.size(); ++i) {
    try {
      backends::load_plugin(experiment.plugins[i]);
    } catch (const Error& error) {
      throw Error(fmt::format("{} /plugins/{}: {}", source, i, error.what()));
    }
  }
}

Experiment load_experiment(const std::string& path, const std::vector<std::string>& assignments) {
  Json json = load_json(path);
  for (const std::string& assignment : assignments) set_value(json, assignment);
  Experiment experiment = read_experiment(std::move(json), path, std::filesystem::path(path).parent_path().string());
  check_file_name(experiment.name, path + " /name", "the name of a folder in runs/");
  return experiment;
}

}  // namespace stair::readers
