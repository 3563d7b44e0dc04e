#include "frontend/stages/run_folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "ir/error.h"
#include "runtime/file.h"

namespace stair::stages {
namespace {

// A number of a file that an earlier process wrote for people and scripts, and that anyone may have changed since: 0 where there is none.
// None is beyond what a double holds exactly.
double number_in(const ir::Json& json, const std::string& key) {
  const auto it = json.find(key);
  const double number = it != json.end() && it->is_number() ? it->get<double>() : 0;
  return std::clamp(number, 0.0, 0x1p53);
}

// A line of the metrics; null where it is damaged.
ir::Json line_of(const std::string& text, const std::string& source) {
  try {
    return ir::parse_json(text, source);
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

bool RunFolder::holds_run() const {
  return std::filesystem::exists(file("last.safetensors"));
}

void RunFolder::open() {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw Error(path_ + ": can't be made: " + error.message());
  lock_.emplace(path_);
}

void RunFolder::begin(const readers::Experiment& experiment) const {
  for (const char* old : {"last.safetensors", "metrics.jsonl", "summary.json"}) std::filesystem::remove(file(old));
  runtime::write_file(file("config.json"), experiment.json.dump(2) + "\n");
}

void RunFolder::extend(const readers::Experiment& experiment) const {
  std::filesystem::remove(file("summary.json"));
  runtime::write_file(file("config.json"), experiment.json.dump(2) + "\n");
}

void RunFolder::log(const ir::Json& entry) const {
  runtime::append_line(file("metrics.jsonl"), readers::to_text(entry));
}

void RunFolder::keep_metrics_until(std::int64_t stage, std::int64_t step) const {
  if (!std::filesystem::exists(file("metrics.jsonl"))) return;
  std::string kept;
  const std::string text = runtime::read_file(file("metrics.jsonl"));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const ir::Json line = line_of(text.substr(at, end - at), file("metrics.jsonl"));
    const auto of_stage = static_cast<std::int64_t>(number_in(line, "stage_index"));
    const bool is_old = of_stage < stage || (of_stage == stage && static_cast<std::int64_t>(number_in(line, "step")) <= step);
    if (line.is_object() && is_old) kept += text.substr(at, end - at) + "\n";
    at = end + 1;
  }
  runtime::write_file(file("metrics.jsonl"), kept);
}

void RunFolder::write_result(const StageResult& result) const {
  runtime::write_file(file(result.name + ".json"), readers::to_text(to_json(result), 2) + "\n");
}

StageResult RunFolder::read_result(const Stage& stage, const readers::ChosenMetric& metric) const {
  const ir::Json saved = readers::load_json(file(stage.name + ".json"));
  if (!saved.is_object()) throw Error(file(stage.name + ".json") + ": is damaged");
  StageResult result{stage.name, stage.kind->name, metric};
  result.checkpoint = file(stage.name + ".safetensors");
  result.test = number_in(saved, "test_" + metric.name());
  if (saved.contains("validation_" + metric.name())) {
    result.validation = number_in(saved, "validation_" + metric.name());
    result.best_validation = number_in(saved, "best_validation_" + metric.name());
  }
  for (const auto& [key, value] : saved.items()) {
    if (key.starts_with("test_") || key.starts_with("validation_")) result.measured.emplace_back(key, number_in(saved, key));
  }
  result.images_per_s = number_in(saved, "images_per_s");
  result.artifact_bytes = static_cast<std::size_t>(number_in(saved, "artifact_bytes"));
  result.peak_mib = number_in(saved, "peak_mib");
  if (result.artifact_bytes > 0) result.artifact = file(stage.name + ".stair");
  return result;
}

ir::Json to_json(const StageResult& result) {
  ir::Json json{{"name", result.name},
                {"kind", result.kind},
                {"images_per_s", result.images_per_s},
                {"artifact_bytes", result.artifact_bytes},
                {"peak_mib", result.peak_mib}};
  if (result.validation >= 0) json["best_validation_" + result.metric.name()] = result.best_validation;
  for (const auto& [name, value] : result.measured) json[name] = value;
  return json;
}

}  // namespace stair::stages
