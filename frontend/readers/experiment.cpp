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
#include "ir/index_inputs.h"
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

class PartReader {
 public:
  PartReader(const Experiment& experiment, const std::string& format, const std::string& folder, std::string key)
      : experiment_(experiment),
        format_(format),
        folder_(folder),
        source_(experiment.source),
        key_of_(std::move(key)),
        known_(*runtime::dataset_formats().find(format)),
        specs_(known_.settings) {
    specs_.push_back(only_key());
  }

  DataPart read(Json& json) {
    const std::vector<std::string> settings = ir::names_of(specs_);
    Json given = Json::object();
    for (auto& [key, value] : json.items()) {
      const bool is_setting = std::find(settings.begin(), settings.end(), key) != settings.end();
      if (!is_setting) check_file_key(key, settings);
      if (value.is_object() && may_be_named(key)) {
        read_named(key, value, !is_setting);
      } else if (is_setting) {
        given[key] = value;
      } else {
        read_files(key, value);
      }
    }
    part_.settings = ir::read_object(given, specs_, source_, key_of_);
    part_.only = part_.settings.integers(only_key().name);
    part_.settings.erase(only_key().name);
    try {
      runtime::check_part(format_, dataset_part(part_, experiment_.model, experiment_.labelled_outputs(experiment_.model)));
    } catch (const Error& error) {
      throw Error(source_ + " " + key_of_ + ": " + error.what());
    }
    return std::move(part_);
  }

 private:
  [[noreturn]] void wrong(const std::string& at, const Json& value, const char* expected) const {
    throw Error(fmt::format("{} {}/{}: found {}, expected {}", source_, key_of_, at, ir::shown(value), expected));
  }

  void check_file_key(const std::string& key, const std::vector<std::string>& settings) const {
    if (std::find(known_.files.begin(), known_.files.end(), key) != known_.files.end()) return;
    std::vector<std::string> keys = known_.files;
    keys.insert(keys.end(), settings.begin(), settings.end());
    throw Error(fmt::format("{} {}: data of the format '{}': unknown key '{}'{}, expected {}", source_, key_of_, format_, key,
                            did_you_mean(key, keys), one_of(keys)));
  }

  bool may_be_named(const std::string& key) const {
    return key == known_.by_input || std::find(known_.by_output.begin(), known_.by_output.end(), key) != known_.by_output.end();
  }

  static bool are_texts(const Json& value) {
    return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& text) { return text.is_string(); });
  }

  // What an object says for each input or output: a path, a text, or texts where the setting is a list of them.
  void read_named(const std::string& key, Json& value, bool are_paths) {
    const auto spec = std::find_if(specs_.begin(), specs_.end(), [&](const ir::AttributeSpec& setting) { return setting.name == key; });
    const bool is_list = spec != specs_.end() && std::holds_alternative<std::vector<std::string>>(spec->fallback);
    if (value.empty()) wrong(key, value, "a member for each input or output");
    for (auto& [name, said] : value.items()) {
      if (is_list ? !are_texts(said) : !said.is_string()) wrong(key + "/" + name, said, is_list ? "a list of texts" : "a text");
      if (are_paths) said = absolute(said, folder_);
      part_.named[key][name] = is_list ? said.get<std::vector<std::string>>() : std::vector<std::string>{said.get<std::string>()};
    }
    if (spec != specs_.end()) specs_.erase(spec);
  }

  void read_files(const std::string& key, Json& value) {
    if (value.is_string()) value = Json::array({value});
    if (!are_texts(value))
      wrong(key, value, may_be_named(key) ? "a text, a list of texts, or an object of texts" : "a text or a list of texts");
    for (Json& path : value) {
      path = absolute(path, folder_);
      part_.files[key].push_back(path);
    }
  }

  const Experiment& experiment_;
  const std::string &format_, &folder_, &source_;
  std::string key_of_;
  const runtime::DatasetFormat& known_;
  std::vector<ir::AttributeSpec> specs_;  // of the settings that aren't said by names
  DataPart part_;
};

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
  const DataFiles& data = experiment.data;
  std::vector<std::string> names;
  const runtime::Normalizations all = experiment.normalizations();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const ir::Value& input = experiment.model.value(experiment.model.inputs()[i]);
    names.push_back(input.name);
    const auto pointer = [&](const char* key, const ChannelNumbers& said) {
      return source + " /data/" + key + (said.named.empty() ? "" : "/" + input.name);
    };
    runtime::check_normalization(all[i], input.type, pointer("mean", data.mean), pointer("std", data.std));
  }
  const std::vector<ir::ValueId>& inputs = experiment.model.inputs();
  const auto indices = [&](const std::string& name) {
    return std::any_of(inputs.begin(), inputs.end(), [&](ir::ValueId id) {
      const ir::Value& input = experiment.model.value(id);
      return input.type.dtype == ir::DType::i32 && (name.empty() || input.name == name);
    });
  };
  const bool all_indices = std::all_of(names.begin(), names.end(), indices);
  for (const auto& [key, said] : {std::pair{"mean", &data.mean}, std::pair{"std", &data.std}}) {
    if (!said->all.empty() && all_indices)
      throw Error(fmt::format("{} /data/{}: the model's inputs are indices, which have none", source, key));
    for (const auto& [name, numbers] : said->named) {
      if (indices(name)) throw Error(fmt::format("{} /data/{}/{}: the input is of indices, which have none", source, key, name));
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw Error(fmt::format("{} /data/{}: found '{}'{}, expected inputs of the model: {}", source, key, name, did_you_mean(name, names),
                              one_of(names)));
    }
  }
}

ChannelNumbers read_channels(const Json& data, const char* key, const std::string& source) {
  ChannelNumbers read;
  if (!data.contains(key)) return read;
  const std::string pointer = std::string("/data/") + key;
  const auto numbers = [&](const Json& list, const std::string& at) {
    return std::get<std::vector<double>>(ir::read_value(list, channel_numbers(key), source, at));
  };
  if (data[key].is_array()) read.all = numbers(data[key], pointer);
  if (data[key].is_object() && data[key].empty()) throw Error(source + " " + pointer + ": found an object without members");
  if (!data[key].is_object()) return read;
  for (const auto& [name, list] : data[key].items()) read.named[name] = numbers(list, pointer + "/" + name);
  return read;
}

DataFiles read_data(const Experiment& experiment, Json& data, const ir::Attributes& keys, const std::string& folder) {
  const std::string& source = experiment.source;
  DataFiles read;
  read.format = keys.text("format");
  const auto part = [&](const char* key) {
    return PartReader(experiment, read.format, folder, std::string("/data/") + key).read(data[key]);
  };
  read.train = part("train");
  read.test = part("test");
  read.mean = read_channels(data, "mean", source);
  read.std = read_channels(data, "std", source);
  if (!data.contains("validation")) return read;
  const Json& validation = data["validation"];
  if (validation.is_object()) {
    read.validation = part("validation");
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

// A teacher is a file.
ir::Object with_teacher(const ir::Attributes& members, Json& json, const std::string& folder) {
  ir::Attributes loss = members;
  if (loss.has("teacher")) {
    json["teacher"] = absolute(loss.text("teacher"), folder);
    loss.set("teacher", json["teacher"].get<std::string>());
  }
  return ir::Object(loss);
}

void read_losses(Experiment& experiment, const ir::Attributes& keys, Json& json, const std::string& folder) {
  if (!json.contains("losses")) {
    const ir::Object loss = with_teacher(keys.object("loss"), json["loss"], folder);
    if (json["loss"].is_null()) json.erase("loss");
    experiment.loss = {{"loss", loss}};
    experiment.objectives = {{.loss = loss.members(), .pointer = "/loss"}};
    return;
  }
  if (json.contains("loss")) throw Error(experiment.source + " /losses: stands beside 'loss', expected one of the two");
  std::vector<ir::Object> losses = keys.objects("losses");
  for (std::size_t i = 0; i < losses.size(); ++i) {
    losses[i] = with_teacher(losses[i].members(), json["losses"][i], folder);
    const std::string& output = losses[i].members().text("output");
    const auto is_same = [&](const Objective& other) { return other.output == output; };
    const std::string pointer = fmt::format("/losses/{}", i);
    if (std::any_of(experiment.objectives.begin(), experiment.objectives.end(), is_same))
      throw Error(fmt::format("{} {}/output: found '{}' a second time", experiment.source, pointer, output));
    experiment.objectives.push_back({output, losses.size() > 1 ? output : "", losses[i].members(), pointer});
  }
  experiment.loss = {{"losses", std::move(losses)}};
}

// Where a loss standardizes, what the model computes is the standardized output: nodes of the model put it into the values' units.
void put_into_units(Experiment& experiment) {
  for (const Objective& objective : experiment.objectives) {
    try {
      const ir::Output output = objective.in(experiment.model);
      const passes::Standardization by = passes::standardization_of(objective.loss, experiment.model.type(output.value));
      if (!by.says()) continue;
      ir::Rewriter rewriter(experiment.model);
      for (const ir::Node& node : experiment.model.nodes()) rewriter.copy(node);
      rewriter.map(output.value,
                   passes::in_original_units(rewriter.graph(), rewriter(output.value), by, experiment.model.value(output.value).name));
      experiment.model = rewriter.finish();
    } catch (const Error& error) {
      throw Error(experiment.source + " " + objective.pointer + ": " + error.what());
    }
  }
}

// A loss must fit its output, which its pass looks at.
void check_losses(Experiment& experiment) {
  const bool mixed = runtime::mixing(experiment.augmentation).first != nullptr;
  if (mixed) experiment.loss.set("mixed", true);
  for (Objective& objective : experiment.objectives) {
    try {
      const ir::Output output = objective.in(experiment.model);
      const bool named = !objective.output.empty();
      ir::Attributes options = named ? ir::Attributes{{"losses", std::vector<ir::Object>{ir::Object(objective.loss)}}}
                                     : ir::Attributes{{"loss", ir::Object(objective.loss)}};
      options.set("mixed", mixed);
      passes::run({{"append_loss", options}}, experiment.model);
      const ir::Type target = passes::type_of(objective.target(), experiment.model.type(output.value));
      objective.labels = objective.target() == passes::Target::classes ? ir::element_count(target.shape) : 0;
    } catch (const Error& error) {
      throw Error(experiment.source + " " + objective.pointer + ": " + error.what());
    }
  }
}

// Of one example.
runtime::Measured measured_of(const Experiment& experiment, const Objective& objective) {
  const ir::Type& output = experiment.model.type(objective.in(experiment.model).value);
  return {output, passes::type_of(objective.target(), output), objective.target() == passes::Target::input};
}

ChosenMetric read_metric(const Experiment& experiment, ir::Attributes options, const std::string& where) {
  const std::vector<std::string> outputs = experiment.labelled_outputs(experiment.model);
  std::size_t objective = 0;
  if (options.has("output")) {
    const std::string output = options.text("output");
    const auto found = std::find(outputs.begin(), outputs.end(), output);
    if (found == outputs.end())
      throw Error(fmt::format("{}/output: found '{}'{}, expected an output with a loss: {}", where, output, did_you_mean(output, outputs),
                              one_of(outputs)));
    objective = static_cast<std::size_t>(found - outputs.begin());
    options.erase("output");
  }
  const runtime::Metric* metric = runtime::metrics().find(options.text("kind"));
  const runtime::Measured measured = measured_of(experiment, experiment.objectives[objective]);
  const std::string expected = metric->expects(measured);
  if (!expected.empty())
    throw Error(fmt::format("{}: '{}' measures {}, found outputs {} held against {}", where, metric->name, expected,
                            to_string(measured.outputs), to_string(measured.targets)));
  return {metric, std::move(options), objective, objective > 0 ? outputs[objective] : ""};
}

void read_metrics(Experiment& experiment, const ir::Attributes& keys, const std::string& source) {
  Metrics& metrics = experiment.metrics;
  for (std::size_t i = 0; i < experiment.objectives.size(); ++i) {
    const bool classes = experiment.objectives[i].target() == passes::Target::classes;
    metrics.push_back({runtime::metrics().find(classes ? "accuracy" : "rmse"), {}, i, i > 0 ? experiment.objectives[i].output : ""});
  }
  for (std::size_t i = 0; i < keys.objects("metrics").size(); ++i) {
    const std::string where = fmt::format("{} /metrics/{}", source, i);
    ChosenMetric chosen = read_metric(experiment, keys.objects("metrics")[i].members(), where);
    if (std::any_of(metrics.begin(), metrics.end(), [&](const ChosenMetric& other) { return other.name() == chosen.name(); }))
      throw Error(fmt::format("{}: found '{}' a second time", where, chosen.name()));
    metrics.push_back(std::move(chosen));
  }
  const std::string& first = keys.text("best_by");
  if (first.empty()) return;
  const auto chosen = std::find_if(metrics.begin(), metrics.end(), [&](const ChosenMetric& known) { return known.name() == first; });
  if (chosen == metrics.end()) {
    std::vector<std::string> names;
    for (const ChosenMetric& known : metrics) names.push_back(known.name());
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
  if (model.inputs().empty() || model.outputs().empty()) {
    throw Error(fmt::format("{}: has {} inputs and {} outputs, expected at least one of each", source, model.inputs().size(),
                            model.outputs().size()));
  }
  const auto expect = [&](const char* does, ir::ValueId id, const std::string& expected) {
    if (expected.empty()) return;
    throw Error(fmt::format("{}: {} {} ('{}'), expected {}", source, does, to_string(model.type(id)), model.value(id).name, expected));
  };
  for (const ir::ValueId input : model.inputs()) expect("takes", input, ir::expected_input(model, input));
  for (const ir::Output& output : model.outputs()) {
    const ir::Type& type = model.type(output.value);
    const bool readable =
        (type.dtype == ir::DType::f32 && type.shape.size() >= 2) || (ir::is_position(model, output.value) && !type.shape.empty());
    expect("yields", output.value, readable ? "" : "f32 [N, ...], or what argmax yields");
  }
}

ir::Output Objective::in(const ir::Graph& graph) const {
  if (output.empty()) return graph.outputs().front();
  return {output, graph.output(output)};
}

std::vector<std::string> Experiment::labelled_outputs(const ir::Graph& of) const {
  std::vector<std::string> outputs;
  for (const Objective& objective : objectives) outputs.push_back(objective.in(of).name);
  return outputs;
}

runtime::DatasetPart dataset_part(const DataPart& part, const ir::Graph& model, std::vector<std::string> outputs) {
  runtime::DatasetPart made{.files = part.files, .settings = part.settings, .named = part.named, .outputs = std::move(outputs)};
  for (const ir::ValueId input : model.inputs()) {
    const ir::Shape& shape = model.type(input).shape;
    made.inputs.push_back({model.value(input).name, {shape.begin() + 1, shape.end()}});
    if (model.type(input).dtype == ir::DType::i32) made.inputs.back().rows = ir::rows_of(model, input);
  }
  return made;
}

runtime::Normalizations normalizations(const DataFiles& data, const ir::Graph& model) {
  runtime::Normalizations all;
  const auto said = [](const ChannelNumbers& numbers, const std::string& input) {
    const auto named = numbers.named.find(input);
    return named == numbers.named.end() ? numbers.all : named->second;
  };
  for (const ir::ValueId id : model.inputs()) {
    const std::string& input = model.value(id).name;
    const bool indices = model.type(id).dtype == ir::DType::i32;
    all.push_back(indices ? runtime::Normalization() : runtime::Normalization{said(data.mean, input), said(data.std, input)});
  }
  return all;
}

Experiment read_experiment(Json json, const std::string& source, const std::string& folder) {
  Experiment experiment;
  const ir::Attributes keys = ir::read_object(json, experiment_keys(), source, "", &experiment.idle);
  experiment.source = source;
  experiment.seed = static_cast<std::uint64_t>(keys.integer("seed"));
  read_model_in_place(experiment, json, source, folder);
  check_model(experiment.model, source + " /model");
  experiment.name = json.contains("name") ? keys.text("name") : std::filesystem::path(source).stem().string();
  experiment.augmentation = keys.object("augmentation");
  read_losses(experiment, keys, json, folder);
  put_into_units(experiment);
  check_losses(experiment);
  experiment.data = read_data(experiment, json["data"], keys.object("data"), folder);
  check_normalization(experiment, source);
  experiment.batch = keys.integer("batch");
  experiment.eval_batch = keys.integer("eval_batch");
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
