#include "tests/fuzz/tiny_run.h"

#include <filesystem>

#include "tests/frontend/small_experiment.h"

namespace stair::tests {

void write_tiny_experiment(const TemporaryFolder& folder) {
  write_pictures(folder, "train", 16);
  write_pictures(folder, "test", 8);
  ir::Json json = small_experiment();
  json["batch"] = 4;
  json["eval_batch"] = 8;
  json["stages"] = ir::Json::parse(R"([
    {"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02, "momentum": 0.9}},
    {"kind": "calibrate", "name": "ptq", "batches": 1},
    {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}, "schedule": {"kind": "cosine"}}])");
  folder.write("exp.json", json.dump(1));
}

std::vector<std::string> tiny_training(const TemporaryFolder& folder, const std::string& run) {
  std::vector<std::string> words{"train", "exp.json", "--run", run, "--quiet", "--threads", "1"};
  if (std::filesystem::exists(folder / (run + "/last.safetensors"))) words.emplace_back("--resume");
  return words;
}

std::map<std::string, std::string> results_of(const TemporaryFolder& folder, const std::string& run) {
  std::map<std::string, std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(folder / run)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".safetensors") || name.ends_with(".stair")) all[name] = folder.read(run + "/" + name);
  }
  return all;
}

std::vector<std::string> temporary_files(const TemporaryFolder& folder, const std::string& run) {
  std::vector<std::string> all;
  if (!std::filesystem::exists(folder / run)) return all;
  for (const auto& entry : std::filesystem::directory_iterator(folder / run)) {
    const std::string name = entry.path().filename().string();
    if (name.find(".tmp") != std::string::npos) all.push_back(name);
  }
  return all;
}

}  // namespace stair::tests
