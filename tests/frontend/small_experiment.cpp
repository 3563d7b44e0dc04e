#include "tests/frontend/small_experiment.h"

#include "ir/random.h"
#include "tests/support/data_files.h"

namespace stair::tests {

void write_pictures(const TemporaryFolder& folder, const std::string& name, std::uint32_t count, std::uint32_t size) {
  std::string images = idx_header({count, size, size});
  std::string labels = idx_header({count});
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto label = static_cast<std::uint32_t>(ir::random_bits(7, 1, count, i) % 4);
    labels += static_cast<char>(label);
    for (std::uint32_t at = 0; at < size * size; ++at) {
      const std::uint64_t noise = ir::random_bits(7, 2, i, at) % 128;
      images += static_cast<char>(noise + (at % size * 4 / size == label ? 100 : 0));
    }
  }
  folder.write(name + ".images", images);
  folder.write(name + ".labels", labels);
}

ir::Json small_model() {
  return ir::Json::parse(R"({
    "input": {"shape": [1, 12, 12]},
    "layers": [
      {"op": "conv2d", "name": "conv", "out_channels": 4, "kernel": 3, "padding": 1, "bias": false},
      {"op": "batch_norm", "name": "bn"},
      {"op": "relu", "name": "relu"},
      {"op": "max_pool", "name": "pool", "kernel": 2},
      {"op": "flatten", "name": "flat"},
      {"op": "dropout", "name": "drop", "rate": 0.2},
      {"op": "linear", "name": "fc", "features": 4}
    ]})");
}

ir::Json small_experiment() {
  ir::Json experiment = ir::Json::parse(R"({
    "name": "small",
    "model": {},
    "data": {
      "format": "idx",
      "train": {"images": "train.images", "labels": "train.labels"},
      "test": {"images": "test.images", "labels": "test.labels"},
      "mean": [0.4],
      "std": [0.3]
    },
    "augmentation": {"flip": false, "crop_padding": 1},
    "batch": 8,
    "eval_batch": 20,
    "seed": 3,
    "checkpoint_every": 1,
    "stages": [
      {"kind": "float", "epochs": 2, "optimizer": {"learning_rate": 0.02, "momentum": 0.9}},
      {"kind": "calibrate", "name": "ptq", "batches": 3},
      {"kind": "qat", "epochs": 2, "optimizer": {"kind": "adam", "learning_rate": 0.002}, "schedule": {"kind": "cosine"}}
    ]})");
  experiment["model"] = small_model();
  return experiment;
}

void write_experiment(const TemporaryFolder& folder) {
  write_pictures(folder, "train", 96);
  write_pictures(folder, "test", 50);
  folder.write("exp.json", small_experiment().dump(1));
}

Outcome train_quietly(const TemporaryFolder& folder, const ir::Json& json, const std::string& run) {
  folder.write("exp.json", json.dump());
  return run_stair({"train", "exp.json", "--run", run, "--overwrite", "--quiet", "--threads", "1"}, folder.path());
}

}  // namespace stair::tests
