#include "tests/same/cases.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "ir/op.h"
#include "ir/text.h"
#include "tests/same/model_json.h"
#include "tests/support/data_files.h"
#include "tests/support/model_builder.h"
#include "tests/support/random_recipe.h"

namespace stair::tests {
namespace {

using Json = nlohmann::ordered_json;

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// What a recipe may say of a network without being refused as a setting that changes nothing.
struct Traits {
  bool norm_folds = false;   // into the convolution or linear layer before it
  bool norm_stands = false;  // behind anything else
  bool trains = false;       // with quantization
  bool watches = false;      // the ranges of activations
  std::int64_t steps_per_epoch = 1;
};

Traits traits_of(const ir::Graph& model) {
  Traits traits;
  const ir::Uses uses(model);
  for (const ir::Node& node : model.nodes()) {
    if (node.op->name != "batch_norm") continue;
    const ir::Node* before = model.producer(node.operands.front());
    const bool layer = before != nullptr && (before->op->name == "conv2d" || before->op->name == "linear");
    (layer && uses.single(node.operands.front()) ? traits.norm_folds : traits.norm_stands) = true;
  }
  return traits;
}

const std::vector<std::string> choices_of_bases{"int8", "int8", "int8", "classic", "jacob2017"};

Json schedule(Draws& draws, const Traits& traits, bool activations) {
  Json json;
  if (activations && draws.one_in(4)) json["activation_delay_steps"] = 1 + draws.below(2);
  if (activations && draws.one_in(3)) json["freeze_observers_epoch"] = 0.5;
  if ((traits.norm_folds || traits.norm_stands) && draws.one_in(3)) json["freeze_batch_norm_epoch"] = draws.one_in(3) ? 0.0 : 0.5;
  return json;
}

// Latent weights and gradients.
void add_training(Json& recipe, Draws& draws) {
  if (draws.one_in(4)) recipe["weights"]["clip"] = draws.of<double>({0.3, 0.7, 1.0});
  if (draws.one_in(8)) recipe["weights"]["glorot_lr_scale"] = true;
  if (draws.one_in(3)) recipe["estimator"] = draws.of<std::string>({"clipped", "plain"});
  if (draws.one_in(3)) recipe["backward"] = draws.of<std::string>({"quantized", "latent"});
}

Json binary_recipe(Draws& draws, const Traits& traits) {
  Json recipe{{"base", draws.of<std::string>({"binaryconnect", "binaryconnect_stochastic"})}};
  if (draws.one_in(4)) recipe = {{"base", "int8"}, {"weights", {{"method", "binary"}}}, {"activations", {{"bits", 0}}}};
  if (draws.one_in(3)) recipe["weights"]["binary_inference"] = draws.one_in(2);
  if (!traits.trains) return recipe;
  if (draws.one_in(3)) recipe["weights"]["stochastic"] = draws.one_in(2);
  add_training(recipe, draws);
  const Json when = schedule(draws, traits, false);
  if (!when.empty()) recipe["schedule"] = when;
  return recipe;
}

Json integer_recipe(Draws& draws, const Traits& traits) {
  Json recipe;
  const std::string base = draws.of(choices_of_bases);
  if (base != "int8" || draws.one_in(2)) recipe["base"] = base;
  if (draws.one_in(4)) recipe["name"] = "drawn";
  Json weights;
  if (draws.one_in(2)) weights["bits"] = 2 + draws.below(7);
  bool folds_into_scale = base == "int8";
  if (draws.one_in(3)) {
    weights["granularity"] = draws.of<std::string>({"per_tensor", "per_channel"});
    if (weights["granularity"] == "per_tensor") folds_into_scale = false;
  }
  if (draws.one_in(5)) {
    weights["narrow_range"] = false;
    folds_into_scale = false;
  }
  Json activations;
  if (draws.one_in(2)) activations["bits"] = 2 + draws.below(7);
  if (draws.one_in(4)) activations["symmetric"] = !draws.one_in(4);
  const bool average = !draws.one_in(3);
  if (traits.watches && !average) activations["observer"] = "min_max";
  if (traits.watches && average && draws.one_in(2)) activations["momentum"] = draws.of<double>({0.05, 0.1, 0.5, 1.0});
  if (!weights.empty()) recipe["weights"] = weights;
  if (!activations.empty()) recipe["activations"] = activations;
  if (draws.one_in(2)) recipe["requantization"] = draws.of<std::string>({"float", "fixed_point", "power_of_two"});
  if (recipe.value("requantization", "") == "power_of_two") folds_into_scale = false;
  if (draws.one_in(3)) recipe["bias"] = draws.of<std::string>({"int32", "float32"});
  if (traits.norm_folds && folds_into_scale && draws.one_in(2)) recipe["batch_norm"]["fold"] = draws.of<std::string>({"scale", "weight"});
  if (traits.norm_stands && draws.one_in(3)) recipe["batch_norm"]["alone"] = draws.of<std::string>({"integer", "float"});
  if (draws.one_in(3)) recipe["quantize_output"] = draws.one_in(2);
  if (draws.one_in(4)) recipe["overrides"].push_back({{"pattern", "fc*"}, {"weight_bits", 2 + draws.below(7)}});
  if (draws.one_in(6)) recipe["overrides"].push_back({{"pattern", "x"}, {"activation_bits", 2 + draws.below(7)}});
  if (draws.one_in(8)) recipe["overrides"].push_back({{"pattern", "fc"}, {"skip", true}});
  if (traits.trains) {
    add_training(recipe, draws);
    const Json when = schedule(draws, traits, true);
    if (!when.empty()) recipe["schedule"] = when;
  }
  return recipe.empty() ? Json("int8") : recipe;
}

Json recipe(Draws& draws, const Traits& traits) {
  if (draws.one_in(10)) {
    return draws.of<std::string>({"int8", "classic", "jacob2017", "binaryconnect", "binaryconnect_stochastic"});
  }
  return draws.one_in(7) ? binary_recipe(draws, traits) : integer_recipe(draws, traits);
}

Json optimizer(Draws& draws) {
  const std::string kind = draws.of<std::string>({"sgd", "sgd", "adam", "adamw"});
  Json json;
  if (kind != "sgd" || draws.one_in(2)) json["kind"] = kind;
  json["learning_rate"] = kind == "sgd" ? draws.of<double>({0.002, 0.01, 0.02}) : draws.of<double>({0.0005, 0.002});
  if (kind == "sgd" && !draws.one_in(3)) {
    json["momentum"] = draws.of<double>({0.5, 0.9});
    if (draws.one_in(3)) json["nesterov"] = true;
  }
  if (kind != "sgd" && draws.one_in(2)) json["beta1"] = 0.8;
  if (kind != "sgd" && draws.one_in(3)) json["beta2"] = 0.99;
  if (kind != "sgd" && draws.one_in(4)) json["eps"] = 1e-6;
  if (draws.one_in(3)) json["weight_decay"] = draws.of<double>({0.0005, 0.01});
  if (draws.one_in(4)) json["max_norm"] = draws.of<double>({0.5, 2.0});
  return json;
}

Json rates(Draws& draws, std::uint64_t epochs) {
  std::vector<std::string> kinds{"constant", "cosine", "exponential"};
  if (epochs > 1) kinds.emplace_back("step");
  const std::string kind = draws.of(kinds);
  Json json{{"kind", kind}};
  if (kind == "cosine" && draws.one_in(2)) json["final"] = 0.0005;
  if ((kind == "step" || kind == "exponential") && draws.one_in(2)) json["gamma"] = draws.of<double>({0.3, 0.5});
  if (kind == "exponential" && draws.one_in(2)) json["every_epochs"] = 0.5;
  if (kind == "step") json["every_epochs"] = 0.5;
  if (draws.one_in(3)) json["warmup_epochs"] = 0.34;
  return json;
}

Json stage(Draws& draws, const std::string& kind, const std::string& name = "") {
  Json json{{"kind", kind}};
  if (!name.empty()) json["name"] = name;
  if (kind == "calibrate") {
    if (!draws.one_in(3)) json["batches"] = 1 + draws.below(3);
    return json;
  }
  const std::uint64_t epochs = 1 + draws.below(2);
  json["epochs"] = epochs;
  json["optimizer"] = optimizer(draws);
  if (!draws.one_in(3)) json["schedule"] = rates(draws, epochs);
  return json;
}

Json stages(Draws& draws) {
  Json list = Json::array();
  const auto add = [&](const char* kind, const char* name = "") { list.push_back(stage(draws, kind, name)); };
  switch (draws.below(8)) {
    case 0:
      add("qat");
      break;
    case 1:
      add("qat");
      add("qat", "again");
      break;
    case 2:
      add("float");
      break;
    case 3:
      add("float");
      add("calibrate");
      break;
    case 4:
      add("float");
      add("qat");
      break;
    case 5:
      add("calibrate", "ptq");
      add("qat", "tuned");
      break;
    default:
      add("float", "first");
      add("calibrate", "ptq");
      add("qat");
  }
  return list;
}

bool has_kind(const Json& stages, const char* kind) {
  for (const Json& item : stages) {
    if (item["kind"] == kind) return true;
  }
  return false;
}

// Files of so many pictures and their labels; yields what the experiment says of them.
Json write_data(Draws& draws, const std::string& folder, const ir::Shape& shape,
                const std::vector<std::pair<std::string, std::size_t>>& parts, const std::string& format, bool floats) {
  Json data{{"format", format}};
  for (const auto& [part, count] : parts) {
    const std::size_t elements = count * static_cast<std::size_t>(ir::element_count(shape));
    const std::uint64_t seed = draws.below(1'000'000);
    const std::string base = folder + "/" + part;
    if (format == "cifar10") {
      write(base + ".bin", random_cifar10(count, seed, 1));
      data[part]["batches"] = {part + ".bin"};
      continue;
    }
    std::vector<std::uint32_t> dims{static_cast<std::uint32_t>(count)};
    std::string sizes = std::to_string(count);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      sizes += ", " + std::to_string(shape[i]);
      if (i > 0 || shape[0] > 1) dims.push_back(static_cast<std::uint32_t>(shape[i]));  // IDX of one channel leaves it out
    }
    const std::string labels = random_labels(count, 4, seed, 2);
    if (format == "idx") {
      write(base + ".images", idx_header(dims) + random_bytes(elements, seed, 1));
      write(base + ".labels", idx_header({dims.front()}) + labels);
    } else {
      write(base + ".images",
            floats ? npy_file("<f4", sizes, random_floats(elements, seed, 1)) : npy_file("|u1", sizes, random_bytes(elements, seed, 1)));
      write(base + ".labels", npy_file("|u1", std::to_string(count) + ",", labels));
    }
    data[part] = {{"images", part + ".images"}, {"labels", part + ".labels"}};
  }
  return data;
}

void write_input(const std::string& folder, const ir::Shape& shape, bool floats) {
  std::string sizes = "3";
  for (const std::int64_t dim : shape) sizes += ", " + std::to_string(dim);
  const auto elements = static_cast<std::size_t>(3 * ir::element_count(shape));
  write(folder + "/x.npy",
        floats ? npy_file("<f4", sizes, random_floats(elements, 3, 3)) : npy_file("|u1", sizes, random_bytes(elements, 3, 3)));
}

// Before the last layer, which reads a matrix: what networks of graphs don't have.
void add_layers(Json& model, Draws& draws) {
  Json layers = model["layers"];
  for (Json& layer : layers) {
    if (layer["op"] == "batch_norm" && draws.one_in(6)) layer["momentum"] = 0.3;
    if (layer["op"] == "conv2d" && draws.one_in(12)) layer["quantize"] = false;
  }
  const Json last = layers.back();
  layers.erase(layers.size() - 1);
  if (draws.one_in(3)) layers.push_back({{"op", "dropout"}, {"rate", draws.of<double>({0.2, 0.5})}});
  if (draws.one_in(4)) {
    model["blocks"]["dense"] = Json::parse(R"({"parameters": {"features": null, "slope": 0.01}, "layers": [
      {"op": "linear", "name": "fc", "features": "$features"}, {"op": "leaky_relu", "slope": "$slope"}]})");
    Json use{{"block", "dense"}, {"name", "head"}, {"with", {{"features", 3 + draws.below(6)}}}, {"repeat", 1 + draws.below(2)}};
    if (draws.one_in(2)) use["with"]["slope"] = 0.1;
    layers.push_back(use);
  }
  layers.push_back(last);
  layers.back().erase("inputs");
  model["layers"] = std::move(layers);
}

}  // namespace

void write_case(std::uint64_t number, const std::string& folder) {
  Draws draws(60, number);
  const ir::Graph model = number % 4 == 3 ? random_moving_net(number, 1) : random_net(number, 1);
  const ir::Shape& whole = model.type(model.inputs().front()).shape;
  const ir::Shape shape(whole.begin() + 1, whole.end());

  Json json{{"name", "drawn"}};
  if (draws.one_in(5)) {
    json["model"] = "model.sir";
    write(folder + "/model.sir", ir::print(model));
  } else {
    json["model"] = model_json(model, draws);
    add_layers(json["model"], draws);
  }
  const std::string format = draws.of<std::string>({"idx", "npy"});
  const bool floats = format == "npy" && draws.one_in(2);
  const std::size_t train = 12 + draws.below(5);
  json["data"] = write_data(draws, folder, shape, {{"train", train}, {"test", 5 + draws.below(6)}}, format, floats);
  if (draws.one_in(2)) json["data"]["mean"] = {0.4};
  if (draws.one_in(2)) json["data"]["std"] = {0.3};
  json["stages"] = stages(draws);
  Traits traits = traits_of(model);
  traits.trains = has_kind(json["stages"], "qat");
  traits.watches = traits.trains || has_kind(json["stages"], "calibrate");
  const bool steps = traits.trains || has_kind(json["stages"], "float");
  json["batch"] = 4;
  if (steps && draws.one_in(6)) json["shards"] = 2;
  if (draws.one_in(2)) json["eval_batch"] = 1 + draws.below(5);
  if (draws.one_in(2)) json["seed"] = draws.below(1000);
  if (steps && draws.one_in(4)) json["augmentation"]["flip"] = true;
  if (steps && draws.one_in(4)) json["augmentation"]["crop_padding"] = 1 + draws.below(2);
  if (steps && draws.one_in(4)) json["checkpoint_every"] = draws.below(3);
  if (steps && draws.one_in(2)) {
    json["loss"]["kind"] = draws.of<std::string>({"cross_entropy", "squared_hinge", "mean_squared_error"});
    if (json["loss"]["kind"] == "cross_entropy" && draws.one_in(2)) json["loss"]["label_smoothing"] = 0.1;
  }
  json["recipe"] = recipe(draws, traits);
  if (draws.one_in(4)) {
    Json start = json;
    start["stages"] = Json::array({stage(draws, "qat", "tuned")});
    start["start"] = "run/" + json["stages"].back().value("name", json["stages"].back()["kind"].get<std::string>()) + ".safetensors";
    write(folder + "/start.json", start.dump(1));
  }
  write(folder + "/exp.json", json.dump(1));
  write(folder + "/calibrate.json", random_recipe(number));
  write_input(folder, shape, floats);
}

void write_model_case(const std::string& model, const std::string& folder) {
  Draws draws(61, 0);
  const ir::Shape shape = Json::parse(std::ifstream(model))["input"]["shape"].get<ir::Shape>();
  Json json{{"name", "model"}, {"model", model}};
  const bool cifar10 = shape == ir::Shape{3, 32, 32};
  json["data"] = write_data(draws, folder, shape, {{"train", 4}, {"test", 2}}, cifar10 ? "cifar10" : "npy", true);
  json["batch"] = 2;
  json["stages"] = Json::parse(R"([{"kind": "calibrate", "name": "ptq", "batches": 1},
    {"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.001}}])");
  write(folder + "/exp.json", json.dump(1));
  write(folder + "/calibrate.json", "\"jacob2017\"");
  write_input(folder, shape, !cifar10);
}

}  // namespace stair::tests
