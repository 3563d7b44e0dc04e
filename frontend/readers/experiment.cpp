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
#include "passes/pass.h"

namespace stair::readers {
namespace {

std::string absolute(const std::string& path, const std::string& folder) {
  const std::filesystem::path given(path);
  const std::filesystem::path base = folder.empty() ? std::filesystem::current_path() : std::filesystem::absolute(folder);
  std::string whole = (base / given).lexically_normal().string();  // an absolute path replaces the base
  if (!ir::is_utf8(whole)) throw Error(whole + ": isn't UTF-8, which the files of a run, being JSON, can't name");
  return whole;
}

DataPart read_part(Json& json, const std::string& format, const std::string& folder, const std::string& source, const std::string& key_of) {
  const std::string where = source + " " + key_of;
  const runtime::DatasetFormat& known = *runtime::dataset_formats().find(format);
  std::vector<ir::AttributeSpec> specs = known.settings;
  specs.push_back(only_key());
  const std::vector<std::string> settings = ir::names_of(specs);
  runtime::DatasetFiles files;
  Json given = Json::object();
  for (auto& [key, value] : json.items()) {
    if (std::find(settings.begin(), settings.end(), key) != settings.end()) {
      given[key] = value;
      continue;
    }
    if (std::find(known.files.begin(), known.files.end(), key) == known.files.end()) {
      std::vector<std::string> keys = known.files;
      keys.insert(keys.end(), settings.begin(), settings.end());
      throw Error(fmt::format("{}: data of the format '{}': unknown key '{}'{}, expected {}", where, format, key, did_you_mean(key, keys),
                              one_of(keys)));
    }
    if (value.is_string()) value = Json::array({value});
    const bool paths =
        value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& path) { return path.is_string(); });
    if (!paths) throw Error(fmt::format("{}/{}: found {}, expected a text or a list of texts", where, key, ir::shown(value)));
    for (Json& path : value) {
      path = absolute(path, folder);
      files[key].push_back(path);
    }
  }
  try {
    runtime::check_files(format, files);
  } catch (const Error& error) {
    throw Error(where + ": " + error.what());
  }
  ir::Attributes read = ir::read_object(given, specs, source, key_of);
  std::vector<std::int64_t> only = read.integers(only_key().name);
  read.erase(only_key().name);
  return {std::move(files), std::move(read), std::move(only)};
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
  // What comes with its weights starts from them, unless the experiment says otherwise.
  if (!imported.weights.empty() && !json.contains("start")) json["start"] = path;
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

DataFiles read_data(Json& data, const ir::Attributes& keys, const std::string& folder, const std::string& source) {
  DataFiles read;
  read.format = keys.text("format");
  read.train = read_part(data["train"], read.format, folder, source, "/data/train");
  read.test = read_part(data["test"], read.format, folder, source, "/data/test");
  read.normalization = {keys.numbers("mean"), keys.numbers("std")};
  if (!data.contains("validation")) return read;
  Json& validation = data["validation"];
  if (validation.is_object()) {
    read.validation = read_part(validation, read.format, folder, source, "/data/validation");
    return read;
  }
  read.validation_share = validation.get<double>();
  if (!(read.validation_share > 0 && read.validation_share < 1)) {
    throw Error(fmt::format("{} /data/validation: found {}, expected a share of the training data, more than 0 and less than 1, or files",
                            source, ir::shown(validation)));
  }
  return read;
}

Start read_start(Json& json, const std::string& folder, const std::string& source) {
  if (json.is_string()) {
    json = absolute(json, folder);
    return {.checkpoint = json};
  }
  const ir::Attributes keys = ir::read_object(json, start_keys(), source, "/start");
  json["checkpoint"] = absolute(json["checkpoint"], folder);
  Start start{.checkpoint = json["checkpoint"], .chooses = true};
  if (!keys.texts("take").empty()) start.take = keys.texts("take");
  for (const ir::Object& each : keys.objects("rename")) start.rename.emplace_back(each.members().text("from"), each.members().text("to"));
  return start;
}

void check_patience(const Experiment& experiment, const std::string& source) {
  for (std::size_t i = 0; i < experiment.stages.size(); ++i) {
    const ir::Attributes& options = experiment.stages[i].options;
    if (!options.has("patience") || options.integer("patience") == 0 || experiment.data.validates()) continue;
    throw Error(fmt::format("{} /stages/{}/patience: found {}, expected 'validation' in /data: test data choose nothing", source, i,
                            options.integer("patience")));
  }
}

ir::Object read_loss(Json& json, const ir::Attributes& keys, const std::string& folder) {
  ir::Attributes loss = keys;
  if (loss.has("teacher")) {
    json["loss"]["teacher"] = absolute(loss.text("teacher"), folder);
    loss.set("teacher", json["loss"]["teacher"].get<std::string>());
  }
  return ir::Object(loss);
}

// Of one example.
ir::Type target_type(const Experiment& experiment) {
  return passes::type_of(experiment.target(), experiment.model.type(experiment.model.outputs().front().value));
}

// The loss must fit the outputs, which its pass looks at.
void check_loss(const Experiment& experiment, const std::string& source) {
  try {
    passes::run({{"append_loss", experiment.loss}}, experiment.model);
  } catch (const Error& error) {
    throw Error(source + " /loss: " + error.what());
  }
}

void read_metrics(Experiment& experiment, const ir::Attributes& keys, const std::string& source) {
  const runtime::Measured measured{experiment.model.type(experiment.model.outputs().front().value), target_type(experiment),
                                   experiment.target() == passes::Target::input};
  Metrics& metrics = experiment.metrics;
  metrics.push_back({runtime::metrics().find(measured.classes() ? "accuracy" : "rmse")});
  for (std::size_t i = 0; i < keys.objects("metrics").size(); ++i) {
    const ir::Attributes& options = keys.objects("metrics")[i].members();
    const runtime::Metric* metric = runtime::metrics().find(options.text("kind"));
    const std::string where = fmt::format("{} /metrics/{}", source, i);
    if (std::any_of(metrics.begin(), metrics.end(), [&](const ChosenMetric& other) { return other.metric == metric; }))
      throw Error(fmt::format("{}: found '{}' a second time", where, metric->name));
    const std::string expected = metric->expects(measured);
    if (!expected.empty())
      throw Error(fmt::format("{}: '{}' measures {}, found outputs {} held against {}", where, metric->name, expected,
                              to_string(measured.outputs), to_string(measured.targets)));
    metrics.push_back({metric, options});
  }
  const std::string& first = keys.text("best_by");
  if (first.empty()) return;
  const auto chosen = std::find_if(metrics.begin(), metrics.end(), [&](const ChosenMetric& known) { return known.metric->name == first; });
  if (chosen == metrics.end()) {
    std::vector<std::string> names;
    for (const ChosenMetric& known : metrics) names.push_back(known.metric->name);
    throw Error(fmt::format("{} /best_by: found '{}'{}, expected {}: one of what is measured", source, first, did_you_mean(first, names),
                            one_of(names)));
  }
  std::rotate(metrics.begin(), chosen, chosen + 1);
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
  if (output.dtype != ir::DType::f32 || output.shape.size() < 2) {
    throw Error(source + ": yields " + to_string(output) + ", expected f32 [N, ...]");
  }
}

std::int64_t Experiment::labels_of_example() const {
  return target() == passes::Target::classes ? ir::element_count(target_type(*this).shape) : 0;
}

Experiment read_experiment(Json json, const std::string& source, const std::string& folder) {
  Experiment experiment;
  const ir::Attributes keys = ir::read_object(json, experiment_keys(), source, "", &experiment.idle);
  experiment.source = source;
  experiment.seed = static_cast<std::uint64_t>(keys.integer("seed"));
  read_model_in_place(experiment, json, source, folder);
  check_model(experiment.model, source + " /model");
  experiment.name = json.contains("name") ? keys.text("name") : std::filesystem::path(source).stem().string();
  experiment.data = read_data(json["data"], keys.object("data"), folder, source);
  check_normalization(experiment, source);
  experiment.augmentation = keys.object("augmentation");
  experiment.batch = keys.integer("batch");
  experiment.eval_batch = keys.integer("eval_batch");
  experiment.loss = {{"loss", read_loss(json, keys.object("loss"), folder)}};
  experiment.recipe = passes::read_recipe(json.value("recipe", Json("int8")), source, "/recipe", &experiment.idle);
  if (json.contains("start")) {
    experiment.start = read_start(json["start"], folder, source);
  }
  if (json.contains("plugins")) {
    for (Json& file : json["plugins"]) {
      file = absolute(file, folder);
      experiment.plugins.push_back(file);
    }
  }
  experiment.checkpoint_every = keys.integer("checkpoint_every");
  experiment.exports = keys.boolean("export");
  check_loss(experiment, source);
  read_metrics(experiment, keys, source);
  std::set<std::string> names;
  for (std::size_t i = 0; i < keys.objects("stages").size(); ++i) {
    const std::string pointer = fmt::format("/stages/{}", i);
    experiment.stages.push_back(read_stage(experiment, keys.objects("stages")[i].members(), json["stages"][i], pointer));
    if (!names.insert(experiment.stages.back().name).second) {
      throw Error(fmt::format("{} {}/name: two stages are named '{}'", source, pointer, experiment.stages.back().name));
    }
  }
  check_patience(experiment, source);
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
