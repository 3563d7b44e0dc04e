#include "tests/fuzz/base_files.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "frontend/readers/json_file.h"
#include "runtime/artifact.h"
#include "tests/frontend/process.h"
#include "tests/support/data_files.h"
#include "tests/support/picture_files.h"
#include "tests/support/zip_file.h"

namespace stair::tests {
namespace {

using ir::Json;

Json stages() {
  return Json::parse(R"([
    {"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.02, "momentum": 0.9}},
    {"kind": "calibrate", "name": "ptq", "batches": 1},
    {"kind": "qat", "epochs": 1, "optimizer": {"kind": "adam", "learning_rate": 0.002}, "schedule": {"kind": "cosine"}}])");
}

Json experiment(const std::string& folder, const std::string& name, const std::string& format, const std::string& layers, const Json& shape,
                const Json& recipe) {
  Json json;
  json["name"] = name;
  json["model"] = {{"input", {{"shape", shape}}}, {"layers", Json::parse(layers)}};
  json["data"]["format"] = format;
  for (const std::string part : {"train", "test"}) {
    if (format == "cifar10") {
      json["data"][part]["batches"] = Json::array({folder + "/" + part + ".cifar"});
    } else {
      json["data"][part]["images"] = folder + "/" + part + ".images." + format;
      json["data"][part]["labels"] = folder + "/" + part + ".labels." + format;
    }
  }
  json["batch"] = 4;
  json["eval_batch"] = 4;
  json["recipe"] = recipe;
  json["stages"] = stages();
  return json;
}

}  // namespace

const std::vector<std::string>& base_experiments() {
  static const std::vector<std::string> names{"conv", "mixed", "bits", "binary", "pair"};
  return names;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + " can't be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_whole(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

static void make_base_files(const std::string& folder) {
  const auto write = [&](const std::string& name, const std::string& bytes) { write_whole(folder + "/" + name, bytes); };
  std::uint64_t stream = 0;
  for (const auto& [part, count] : {std::pair<std::string, std::uint32_t>{"train", 8}, {"test", 6}}) {
    ++stream;
    const std::string pictures = random_bytes(count * 36, 5, stream);
    const std::string numbers = std::to_string(count);
    write(part + ".images.idx", idx_header({count, 6, 6}) + pictures);
    write(part + ".labels.idx", idx_header({count}) + random_labels(count, 4, 5, stream));
    write(part + ".images.npy", npy_file("<f4", numbers + ", 1, 6, 6", random_floats(count * 36, 5, 9)));
    write(part + ".bytes.npy", npy_file("|u1", numbers + ", 1, 6, 6", pictures));
    write(part + ".labels.npy", npy_file("|u1", numbers + ",", random_labels(count, 4, 5, stream)));
    write(part + ".cifar", random_cifar10(count, 5, 10));
  }
  for (const bool deflates : {false, true}) {
    write(deflates ? "deflated.npz" : "stored.npz", zip_file({{"x.npy", npy_file("<f4", "6, 1, 6, 6", random_floats(216, 5, 9))},
                                                              {"y.npy", npy_file("|u1", "6,", random_labels(6, 4, 5, 2))}},
                                                             deflates));
  }
  write("test.csv", "width,\"height\",kind\n1,2.5,0\n-3e2,\"4\",1\r\n0.25, 7 ,2\n9,1,3\n");
  write("picture.png", png_picture());
  write("picture.jpg", jpeg_picture());
  write("x.npy", npy_file("<f4", "2, 1, 6, 6", random_floats(72, 5, 9)));
  write("u8.npy", npy_file("|u1", "2, 1, 6, 6", random_bytes(72, 5, 4)));
  const Json grey = {1, 6, 6};
  const std::string conv = R"([{"op": "conv2d", "name": "conv", "out_channels": 4, "kernel": 3, "padding": 1, "bias": false},
    {"op": "batch_norm", "name": "bn"}, {"op": "relu", "name": "relu"}, {"op": "max_pool", "name": "pool", "kernel": 2},
    {"op": "flatten", "name": "flat"}, {"op": "dropout", "rate": 0.2}, {"op": "linear", "name": "fc", "features": 4}])";
  const std::string mixed = R"([{"op": "conv2d", "name": "a", "out_channels": 4, "kernel": 3, "padding": 1},
    {"op": "relu6", "name": "r"}, {"op": "conv2d", "name": "b", "out_channels": 4, "kernel": 3, "padding": 1, "groups": 4},
    {"op": "add", "name": "sum", "inputs": ["r", "b"]}, {"op": "sigmoid", "name": "s"},
    {"op": "concat", "name": "cat", "inputs": ["s", "r"]}, {"op": "avg_pool", "name": "p", "kernel": 2},
    {"op": "global_avg_pool", "name": "g"}, {"op": "flatten", "name": "f"}, {"op": "linear", "name": "fc", "features": 4}])";
  const std::string bits = R"([{"op": "flatten", "name": "f"}, {"op": "linear", "name": "l1", "features": 8},
    {"op": "constant", "name": "k", "shape": [8], "values": [1, 2, 3, 4, -1, -2, -3, 0.5]}, {"op": "add", "name": "sum", "inputs": ["l1", "k"]},
    {"op": "linear", "name": "l2", "features": 8}, {"op": "tanh", "name": "t"},
    {"op": "linear", "name": "l3", "features": 8, "weights_of": "l2"}, {"op": "linear", "name": "l4", "features": 4}])";
  const std::string binary = R"([{"op": "avg_pool", "name": "p", "kernel": 8}, {"op": "flatten", "name": "f"},
    {"op": "linear", "name": "l1", "features": 4}, {"op": "batch_norm", "name": "bn"}])";
  Json experiments;
  experiments["conv"] = experiment(folder, "conv", "idx", conv, grey, "int8");
  experiments["conv"]["data"]["mean"] = {0.4};
  experiments["conv"]["data"]["std"] = {0.3};
  experiments["conv"]["augmentation"] = {{"flip", false}, {"crop_padding", 1}};
  experiments["mixed"] =
      experiment(folder, "mixed", "idx", mixed, grey, Json::parse(R"({"base": "jacob2017", "schedule": {"activation_delay_steps": 0}})"));
  experiments["bits"] =
      experiment(folder, "bits", "npy", bits, grey, Json::parse(R"({"base": "int8", "weights": {"bits": 3}, "activations": {"bits": 4},
                                                   "requantization": "power_of_two", "batch_norm": {"fold": "weight"}})"));
  experiments["bits"]["model"]["inputs"] = {{{"name", "x"}, {"shape", grey}}};
  experiments["bits"]["model"].erase("input");
  experiments["bits"]["model"]["outputs"] = {{{"name", "logits"}, {"layer", "l4"}}};
  Json& quantized = experiments["bits"]["stages"][2];
  quantized["freeze"] = {"l1.*"};
  quantized["average"] = 0.9;
  quantized["optimizer"]["parts"] = Json::parse(R"([{"match": ["*.bias"], "weight_decay": 0.1, "learning_rate_factor": 2}])");
  experiments["binary"] = experiment(folder, "binary", "cifar10", binary, {3, 32, 32}, "binaryconnect");
  experiments["binary"]["stages"] = Json::parse(R"([{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.02}}])");
  const std::string pair =
      R"([{"op": "conv2d", "name": "a", "inputs": ["x"], "out_channels": 2, "kernel": 3, "stride": 2}, {"op": "flatten"},
    {"op": "relu", "name": "left"}, {"op": "flatten", "name": "flat", "inputs": ["y"]}, {"op": "linear", "name": "right", "features": 3},
    {"op": "concat", "name": "both", "inputs": ["left", "right"], "axis": 1}, {"op": "linear", "name": "kind", "features": 4},
    {"op": "linear", "name": "size", "inputs": ["both"], "features": 1}])";
  experiments["pair"] = experiment(folder, "pair", "npy", pair, grey, "int8");
  Json& both = experiments["pair"];
  both["model"]["inputs"] = {{{"name", "x"}, {"shape", grey}}, {{"name", "y"}, {"shape", grey}}};
  both["model"].erase("input");
  both["model"]["outputs"] = {"kind", "size", {{"name", "more"}, {"layer", "right"}}};
  both["losses"] = Json::parse(R"([{"output": "kind", "kind": "cross_entropy"},
    {"output": "size", "kind": "huber", "delta": 0.5, "weight": 2}])");
  both["metrics"] = Json::parse(R"([{"kind": "mae", "output": "size"}])");
  for (const std::string part : {"train", "test"}) {
    const std::string at = folder + "/" + part;
    both["data"][part]["images"] = {{"x", at + ".bytes.npy"}, {"y", at + ".images.npy"}};
    both["data"][part]["labels"] = {{"kind", at + ".labels.npy"}, {"size", at + ".labels.npy"}};
  }
  both["data"]["mean"] = {{"x", {0.5}}};
  both["data"]["std"] = {{"x", {0.25}}, {"y", {2}}};
  write("table.json", Json::parse(R"({"model": {"input": {"shape": [2]}, "layers": [{"op": "linear", "features": 4}]},
    "data": {"format": "csv", "train": {"table": "d.csv", "label": "kind"}, "test": {"table": "d.csv", "label": "kind", "columns": ["height", "width"]}},
    "batch": 2, "stages": [{"kind": "float", "epochs": 1, "optimizer": {"learning_rate": 0.01}}]})")
                          .dump());
  for (const std::string& name : base_experiments()) {
    write(name + ".json", experiments[name].dump(1));
    write(name + ".model.json", experiments[name]["model"].dump(1));
    const Outcome trained = run_stair({"train", name + ".json", "--run", name, "--quiet", "--threads", "1"}, folder);
    if (trained.code != 0) throw std::runtime_error(name + ": " + trained.err);
    std::string passes = "append_loss,autodiff,append_optimizer";
    const Outcome steps = run_stair({"opt", name + ".model.json", "--passes", passes, "-o", name + ".train.sir"}, folder);
    if (steps.code != 0) throw std::runtime_error(name + ": " + steps.err);
    const Outcome model = run_stair({"opt", name + ".model.json", "-o", name + ".sir"}, folder);
    if (model.code != 0) throw std::runtime_error(name + ": " + model.err);
    const Outcome onnx = run_stair({"export", name, "--to", "onnx", "--allow-inexact", "-o", name + ".onnx"}, folder);
    if (onnx.code != 0) throw std::runtime_error(name + ": " + onnx.err);
  }
  runtime::Artifact scaling = runtime::load_artifact(folder + "/conv/qat.stair");
  scaling.inputs.front().images.shorter_side = 7;
  runtime::save_artifact(scaling, folder + "/pictures.stair");
}

void write_base_files(const std::string& folder) {
  static const TemporaryFolder made;
  static const bool whole = [] {
    make_base_files(made.path());
    return true;
  }();
  static_cast<void>(whole);
  std::filesystem::copy(made.path(), folder, std::filesystem::copy_options::recursive);
}

const std::vector<std::string>& base_graphs() {
  static const std::vector<std::string> graphs = [] {
    std::vector<std::string> made;
    for (const std::string& name : base_experiments()) {
      made.push_back(read_whole(name + ".sir"));
      made.push_back(read_whole(name + ".train.sir"));
      const std::string artifact = read_whole(name + "/qat.stair");
      std::uint64_t length = 0;
      std::copy_n(artifact.data(), 8, reinterpret_cast<char*>(&length));
      made.push_back(Json::parse(artifact.substr(8, length))["__metadata__"]["graph"]);
    }
    std::vector<std::filesystem::path> golden;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(STAIR_SOURCE_DIR) + "/tests/golden"))
      golden.push_back(entry.path());
    std::sort(golden.begin(), golden.end());
    for (const std::filesystem::path& path : golden) {
      const std::string text = read_whole(path.string());
      for (std::size_t at = text.find("\nsir 1\n"); at != std::string::npos; at = text.find("\nsir 1\n", at + 1)) {
        made.push_back(text.substr(at + 1, text.find("\n## ", at + 1) - at));
      }
    }
    return made;
  }();
  return graphs;
}

}  // namespace stair::tests
