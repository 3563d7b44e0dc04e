#include "runtime/checkpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <system_error>
#include <utility>

#include "ir/error.h"
#include "ir/json.h"
#include "ir/json_object.h"
#include "runtime/arithmetic_version.h"
#include "runtime/file.h"
#include "runtime/finite.h"
#include "runtime/safetensors.h"

namespace stair::runtime {
namespace {

constexpr const char* checkpoint_format = "staircase checkpoint";

template <class T>
T number(const std::map<std::string, std::string>& metadata, const char* key, const std::string& path) {
  const auto it = metadata.find(key);
  T value{};
  if (it == metadata.end()) throw Error(path + ": its metadata has no '" + key + "'");
  const char* const end = it->second.data() + it->second.size();
  const auto [rest, error] = std::from_chars(it->second.data(), end, value);
  if (rest != end || error != std::errc{}) throw Error(path + ": '" + key + "' in its metadata is '" + it->second + "'");
  return value;
}

Tensors copied(const Tensors& states) {
  Tensors copies;
  for (const auto& [name, tensor] : states) copies.emplace(name, tensor.clone());
  return copies;
}

// {"conv.weight": "conv.weight.average"}
std::map<std::string, std::string> read_averages(const std::string& text, const Tensors& tensors, const std::string& path) {
  const std::string where = path + ": its metadata's 'averages'";
  const ir::Json json = ir::parse_json(text, where);
  if (!json.is_object()) throw Error(where + " is no object");
  std::map<std::string, std::string> averages;
  std::set<std::string> holders;
  for (const auto& [of, average] : json.items()) {
    const auto state = tensors.find(of);
    const auto holder = average.is_string() ? tensors.find(average.get<std::string>()) : tensors.end();
    const bool fits = state != tensors.end() && holder != tensors.end() && holder->second.type() == state->second.type();
    if (!fits || json.contains(holder->first) || !holders.insert(holder->first).second)
      throw Error(where + " name no average of '" + of + "' among the tensors, of its type");
    averages[of] = holder->first;
  }
  return averages;
}

// [{"element": "u8"}, {"element": "f32"}]
std::vector<ExampleForm> read_inputs(const std::string& text, const std::string& path) {
  const std::string where = path + " (metadata)";
  const ir::AttributeSpec list{.name = "inputs", .doc = {}, .fallback = std::vector<ir::Object>(), .members = example_form_keys()};
  const ir::Attribute read = ir::read_value(ir::parse_json(text, where + " /inputs"), list, where, "/inputs");
  std::vector<ExampleForm> forms;
  for (const ir::Object& form : std::get<std::vector<ir::Object>>(read)) forms.push_back(example_form_of(form.members()));
  return forms;
}

// [{"loss": 1.5, "correct": 30}, {"loss": 0.25, "correct": 0}]
std::vector<LossSums> read_sums(const std::string& text, const std::string& path) {
  const std::string where = path + " (metadata) /losses";
  const ir::Json json = ir::parse_json(text, where);
  const auto expect = [&](bool holds, const ir::Json& found) {
    if (!holds) throw Error(where + ": found " + ir::shown(found) + R"(, expected a list of {"loss": a number, "correct": an integer})");
  };
  expect(json.is_array(), json);
  std::vector<LossSums> sums;
  for (const ir::Json& of : json) {
    expect(of.is_object() && of.size() == 2 && of.contains("loss") && of["loss"].is_number() && of.contains("correct") &&
               of["correct"].is_number_integer(),
           of);
    sums.push_back({of["loss"].get<double>(), of["correct"].get<std::int64_t>()});
  }
  return sums;
}

// Of a model with one.
std::vector<ExampleForm> only_input_of(const std::map<std::string, std::string>& metadata, const std::string& path) {
  ExampleForm form{image_elements(metadata, path)};
  if (metadata.contains("shorter_side")) form.shorter_side = number<std::int64_t>(metadata, "shorter_side", path);
  if (form.shorter_side && (*form.shorter_side < 1 || *form.shorter_side > 16384))
    throw Error(fmt::format("{}: 'shorter_side' in its metadata is {}, expected 1 to 16384", path, *form.shorter_side));
  if (form.element.empty() && !form.shorter_side) return {};
  return {form};
}

std::string bytes_of(const Checkpoint& checkpoint, Tensors states, const std::map<std::string, std::string>& averages) {
  Safetensors contents;
  contents.tensors = std::move(states);
  contents.metadata = {{arithmetic_key, std::to_string(checkpoint.arithmetic)},
                       {"model", checkpoint.model},
                       {"recipe", checkpoint.recipe},
                       {"experiment", checkpoint.experiment},
                       {"data", checkpoint.data},
                       {"stage", std::to_string(checkpoint.stage)},
                       {"stage_name", checkpoint.stage_name},
                       {"step", std::to_string(checkpoint.step)},
                       {"seed", std::to_string(checkpoint.seed)},
                       {"loss_sum", fmt::format("{}", checkpoint.loss_sum)},
                       {"correct", std::to_string(checkpoint.correct)},
                       {"best_accuracy", fmt::format("{}", checkpoint.best)}};
  if (checkpoint.best_step > 0) contents.metadata["best_step"] = std::to_string(checkpoint.best_step);
  if (checkpoint.inputs.size() == 1) {
    const ExampleForm& form = checkpoint.inputs.front();
    if (!form.element.empty()) contents.metadata["images"] = form.element;
    if (form.shorter_side) contents.metadata["shorter_side"] = std::to_string(*form.shorter_side);
  } else if (!checkpoint.inputs.empty()) {
    ir::Json inputs = ir::Json::array();
    for (const ExampleForm& form : checkpoint.inputs) inputs.push_back(to_json(form));
    contents.metadata["inputs"] = inputs.dump();
  }
  if (!checkpoint.sums.empty()) {
    ir::Json sums = ir::Json::array();
    for (const LossSums& of : checkpoint.sums) sums.push_back({{"loss", of.loss}, {"correct", of.correct}});
    contents.metadata["losses"] = sums.dump();
  }
  if (!averages.empty()) contents.metadata["averages"] = ir::Json(averages).dump();
  return to_safetensors(contents, checkpoint_format, checkpoint_version);
}

}  // namespace

std::string to_bytes(const Checkpoint& checkpoint) {
  return bytes_of(checkpoint, copied(checkpoint.states), checkpoint.averages);
}

void save_checkpoint(const Checkpoint& checkpoint, const std::string& path, bool with_averages) {
  write_file(path, with_averages ? bytes_of(checkpoint, averaged(checkpoint), {}) : to_bytes(checkpoint));
}

Tensors averaged(const Checkpoint& checkpoint) {
  Tensors states = copied(checkpoint.states);
  for (const auto& [of, average] : checkpoint.averages) states[of] = std::move(states.extract(average).mapped());
  return states;
}

void take_averages(Checkpoint& checkpoint) {
  for (const auto& [of, average] : checkpoint.averages) checkpoint.states[of] = std::move(checkpoint.states.extract(average).mapped());
  checkpoint.averages.clear();
}

Checkpoint load_checkpoint(const std::string& path) {
  return checkpoint_from(read_file(path), path);
}

Checkpoint checkpoint_from(const std::string& bytes, const std::string& path) {
  Safetensors contents = from_safetensors(bytes, path, checkpoint_format, checkpoint_version);
  const auto& metadata = contents.metadata;
  Checkpoint checkpoint;
  checkpoint.arithmetic = arithmetic_version_of(metadata, path);
  checkpoint.model = contents.metadata["model"];
  checkpoint.recipe = contents.metadata["recipe"];
  checkpoint.experiment = contents.metadata["experiment"];
  checkpoint.inputs = metadata.contains("inputs") ? read_inputs(metadata.at("inputs"), path) : only_input_of(metadata, path);
  checkpoint.data = contents.metadata["data"];
  checkpoint.stage_name = contents.metadata["stage_name"];
  checkpoint.stage = number<std::int64_t>(metadata, "stage", path);
  checkpoint.step = number<std::int64_t>(metadata, "step", path);
  checkpoint.seed = number<std::uint64_t>(metadata, "seed", path);
  checkpoint.loss_sum = number<double>(metadata, "loss_sum", path);
  checkpoint.correct = number<std::int64_t>(metadata, "correct", path);
  if (metadata.contains("losses")) checkpoint.sums = read_sums(metadata.at("losses"), path);
  checkpoint.best = number<double>(metadata, "best_accuracy", path);
  if (metadata.contains("best_step")) checkpoint.best_step = number<std::int64_t>(metadata, "best_step", path);
  if (checkpoint.stage < 0 || checkpoint.step < 0) throw Error(path + ": its metadata has a negative stage or step");
  for (const auto& [name, tensor] : contents.tensors) {
    // Which tensors are ranges that have seen nothing, and may be infinite, only the graph of a stage knows.
    const bool is_range = tensor.count() == 1 && tensor.type().dtype == ir::DType::f32 && std::isinf(*tensor.as<float>());
    if (!is_range) check_finite(tensor.view(), path + ": tensor '" + name + "'");
  }
  if (metadata.contains("averages")) checkpoint.averages = read_averages(metadata.at("averages"), contents.tensors, path);
  checkpoint.states = std::move(contents.tensors);
  return checkpoint;
}

}  // namespace stair::runtime
