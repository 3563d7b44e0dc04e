// Files of every kind, damaged: each is refused with one line, or works. tests/fuzz/watched.h says how long runs are asked for.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "frontend/readers/json_file.h"
#include "passes/pass.h"
#include "tests/fuzz/base_files.h"
#include "tests/fuzz/mutations.h"
#include "tests/fuzz/onnx_mutations.h"
#include "tests/fuzz/watched.h"

using namespace stair;
using tests::Draws;
using tests::WatchedCase;

namespace {

constexpr std::uint64_t few = 25;  // in the suite

enum Kind : std::uint64_t {
  checkpoint = 1,
  artifact,
  graph,
  passes_of_graph,
  model,
  experiment,
  recipe,
  npy,
  idx,
  cifar,
  gz,
  run_folder,
  cutting,
  npz,
  csv,
  pictures,
  npy_in_file,
  pictures_of_run,
  onnx_model,
  quantized_onnx_model,
  verified_onnx_model
};

using Words = std::vector<std::string>;

void check_none(Kind kind, const std::function<WatchedCase(Draws& draws)>& make, std::uint64_t cases = few) {
  const tests::Tally tally = tests::watch({cases}, tests::write_base_files, [&](std::uint64_t number) {
    Draws draws(kind, number);
    return make(draws);
  });
  MESSAGE(tally.accepted << " accepted, " << tally.refused << " refused, " << tally.findings.size() << " findings");
  if (std::getenv("STAIR_REASONS") != nullptr) {
    for (const auto& [reason, count] : tally.reasons) MESSAGE(count << " x " << reason);
  }
  for (const std::string& finding : tally.findings) FAIL_CHECK(finding);
  CHECK(tally.accepted + tally.refused + tally.findings.size() > 0);
}

// What a run of some passes is asked for.
std::string random_passes(Draws& draws) {
  static const Words usual{"inference_mode", "fold_batch_norm",  "insert_fake_quantize", "append_loss",
                           "autodiff",       "append_optimizer", "realize_integers",     "simplify",
                           "dead_code",      "cut_inference"};
  Words names;
  for (const auto& [name, pass] : stair::passes::registry().all()) names.push_back(name);
  std::string list;
  for (std::uint64_t n = 1 + draws.below(4); n > 0; --n) list += (list.empty() ? "" : ",") + draws.of(draws.one_in(2) ? usual : names);
  return list;
}

// Numbers of epochs and batches that a short run has.
std::string shortened(const std::string& text) {
  ir::Json json;
  try {
    json = ir::parse_json(text, "e.json");
  } catch (const Error&) {
    return text;  // among them what is nested so deep that dump() below had no stack for it
  }
  if (!json.is_object() || !json.contains("stages") || !json["stages"].is_array()) return text;
  for (ir::Json& stage : json["stages"]) {
    if (!stage.is_object() || !stage.contains("epochs") || !stage["epochs"].is_number()) continue;
    if (stage["epochs"].get<double>() > 3) stage["epochs"] = 3;
  }
  return json.dump(-1, ' ', false, ir::Json::error_handler_t::replace);
}

}  // namespace

TEST_CASE("damaged checkpoints") {
  check_none(checkpoint, [](Draws& draws) {
    const std::string name = draws.of(tests::base_experiments());
    const bool floats = name != "binary" && draws.one_in(3);
    bool sealed = true;
    const std::string bytes =
        tests::mutate_container(tests::read_whole(name + (floats ? "/float" : "/qat") + ".safetensors"), draws, sealed);
    tests::write_whole("c.safetensors", bytes);
    const bool same = bytes == tests::read_whole(name + (floats ? "/float" : "/qat") + ".safetensors");
    Words words;
    switch (draws.below(7)) {
      case 0:
        words = {"inspect", "c.safetensors"};
        break;
      case 1:
        words = {"eval", "c.safetensors", "--threads", "1"};
        break;
      case 2:
        words = {"export", "c.safetensors", "-o", "out.stair", "--report"};
        break;
      case 3:
        words = {"calibrate", "c.safetensors", "-o", "out.safetensors", "--batches", "1", "--threads", "1"};
        break;
      case 4:
        words = {"verify", "c.safetensors", name + "/qat.stair", "--images", "2", "--threads", "1"};
        break;
      case 5:
        words = {"eval", "c.safetensors", "--float", "--threads", "1", "--json"};
        break;
      default:
        std::filesystem::remove_all("again");
        std::filesystem::copy(name, "again");
        tests::write_whole("again/last.safetensors", bytes);
        words = {"train", name + ".json", "--run", "again", "--resume", "--quiet", "--threads", "1"};
    }
    return WatchedCase{words, !sealed && !same};
  });
}

TEST_CASE("damaged artifacts") {
  check_none(artifact, [](Draws& draws) {
    const std::string name = draws.of(tests::base_experiments());
    bool sealed = true;
    const std::string whole = tests::read_whole(name + "/qat.stair");
    const std::string bytes = tests::mutate_container(whole, draws, sealed);
    tests::write_whole("a.stair", bytes);
    const std::string backend = draws.of(Words{"int8", "openblas", "reference"});
    Words words;
    switch (draws.below(6)) {
      case 0:
        words = {"inspect", "a.stair", "--plan"};
        break;
      case 1:
        words = {"eval", "a.stair", "--data", name + ".json", "--threads", "1", "--backend", backend};
        break;
      case 2:
        words = {"verify", name, "a.stair", "--images", "2", "--threads", "1"};
        break;
      case 3:
        words = {"bench", "a.stair", "--plan", "--threads", "1", "--batch", "3", "--backend", backend};
        break;
      default:
        words = {"run", "a.stair", "--input", draws.of(Words{"x.npy", "u8.npy"}), "--threads", "1", "--backend", backend};
        if (name == "pair") {
          words[3] = "x=" + words[3];
          words.insert(words.end(), {"--input", "y=x.npy"});
        }
    }
    return WatchedCase{words, !sealed && bytes != whole};
  });
}

TEST_CASE("damaged graphs in text") {
  check_none(graph, [](Draws& draws) {
    tests::write_whole("g.sir", tests::mutate_graph(draws.of(tests::base_graphs()), draws));
    switch (draws.below(5)) {
      case 0:
        return WatchedCase{{"inspect", "g.sir", "--plan"}};
      case 1:
        return WatchedCase{{"opt", "g.sir", "--passes", random_passes(draws), "--batch", "3"}};
      case 2:
        return WatchedCase{{"bench", "g.sir", "--float", "--plan", "--threads", "1"}};
      case 3:
        return WatchedCase{{"bench", "g.sir", "--train", "--plan", "--threads", "1", "--mode", draws.of(Words{"float", "qat"})}};
      default:
        return WatchedCase{
            {"bench", "g.sir", "--plan", "--threads", "1", "--recipe", draws.of(Words{"int8", "jacob2017", "binaryconnect"})}};
    }
  });
}

TEST_CASE("passes over graphs that they aren't made for") {
  check_none(passes_of_graph, [](Draws& draws) {
    tests::write_whole("g.sir", draws.of(tests::base_graphs()));
    return WatchedCase{{"opt", "g.sir", "--passes", random_passes(draws)}};
  });
}

TEST_CASE("damaged models") {
  check_none(model, [](Draws& draws) {
    tests::write_whole("m.json", tests::mutate_json(tests::read_whole(draws.of(tests::base_experiments()) + ".model.json"), draws));
    switch (draws.below(4)) {
      case 0:
        return WatchedCase{{"inspect", "m.json", "--plan"}};
      case 1:
        return WatchedCase{{"opt", "m.json", "--passes", random_passes(draws)}};
      case 2:
        return WatchedCase{{"bench", "m.json", "--train", "--plan", "--threads", "1", "--batch", "2", "--memory", "64MiB"}};
      default:
        return WatchedCase{{"bench", "m.json", "--plan", "--threads", "1", "--memory", "64MiB"}};
    }
  });
}

TEST_CASE("damaged ONNX models") {
  const tests::OnnxGraph small = tests::small_onnx_graph();
  const tests::OnnxGraph many = tests::onnx_graph_of_many();
  check_none(
      onnx_model,
      [&](Draws& draws) {
        tests::write_whole("m.onnx", tests::mutate_onnx(draws.one_in(4) ? small : many, draws));
        if (draws.one_in(8)) return WatchedCase{{"inspect", "m.onnx"}};
        if (draws.one_in(8)) return WatchedCase{{"run", "m.onnx", "--input", "x.npy", "--threads", "1", "--memory", "64MiB"}};
        WatchedCase watched{{"import", "m.onnx", "-o", "imported"}};
        if (draws.one_in(4)) watched.arguments.emplace_back("--no-batch");
        return watched;
      },
      200);
}

TEST_CASE("damaged quantized ONNX models") {
  check_none(
      quantized_onnx_model,
      [&](Draws& draws) {
        tests::write_whole("m.onnx", tests::mutate_onnx(tests::quantized_onnx_graph(draws.below(20)), draws));
        if (draws.one_in(8)) return WatchedCase{{"run", "m.onnx", "--input", "x.npy", "--threads", "1", "--memory", "64MiB"}};
        WatchedCase watched{{"import", "m.onnx", "-o", "imported"}};
        if (draws.one_in(8)) watched.arguments.emplace_back("--no-batch");
        return watched;
      },
      200);
}

TEST_CASE("damaged ONNX files that are held against training") {
  check_none(
      verified_onnx_model,
      [&](Draws& draws) {
        const std::string name = draws.of(tests::base_experiments());
        tests::write_whole("m.onnx", tests::mutate_bytes(tests::read_whole(name + ".onnx"), draws));
        return WatchedCase{{"verify", name, "m.onnx", "--images", "2", "--no-simulation"}};
      },
      100);
}

TEST_CASE("damaged experiments") {
  check_none(experiment, [](Draws& draws) {
    const std::string text = tests::read_whole(draws.of(tests::base_experiments()) + ".json");
    tests::write_whole("e.json", shortened(tests::mutate_json(text, draws)));
    return WatchedCase{{"train", "e.json", "--run", "again", "--overwrite", "--quiet", "--threads", "1", "--memory", "64MiB"}};
  });
}

TEST_CASE("damaged recipes") {
  check_none(recipe, [](Draws& draws) {
    static const Words recipes{
        R"("int8")", R"({"base": "int8", "weights": {"bits": 4}, "overrides": [{"pattern": "c*", "skip": true}]})",
        R"({"weights": {"method": "linear", "bits": 3, "granularity": "per_tensor", "narrow_range": true, "clip": 1.0},
                                   "activations": {"bits": 4, "symmetric": false, "observer": "moving_average", "momentum": 0.1},
                                   "bias": "int32", "requantization": "fixed_point", "estimator": "clipped", "batch_norm": {"fold": "weight"},
                                   "quantize_output": true, "overrides": [{"pattern": "*", "weight_bits": 8, "activation_bits": 8}],
                                   "schedule": {"activation_delay_steps": 1, "freeze_observers_epoch": 0.5, "freeze_batch_norm_epoch": 0.5}})",
        R"({"base": "binaryconnect", "weights": {"stochastic": true}})"};
    tests::write_whole("r.json", tests::mutate_json(draws.of(recipes), draws));
    const std::string name = draws.of(tests::base_experiments());
    if (draws.one_in(2)) return WatchedCase{{"bench", name + ".model.json", "--recipe", "r.json", "--plan", "--threads", "1"}};
    return WatchedCase{{"calibrate", name, "--recipe", "r.json", "-o", "out.safetensors", "--batches", "1", "--threads", "1"}};
  });
}

TEST_CASE("damaged NumPy files") {
  check_none(npy, [](Draws& draws) {
    if (draws.one_in(2)) {
      tests::write_whole("in.npy", tests::mutate_bytes(tests::read_whole(draws.of(Words{"x.npy", "u8.npy"})), draws));
      return WatchedCase{{"run", "conv/qat.stair", "--input", "in.npy", "--threads", "1"}};
    }
    const std::string part = draws.of(Words{"images", "labels"});
    tests::write_whole("d.npy", tests::mutate_bytes(tests::read_whole("test." + part + ".npy"), draws));
    ir::Json json = ir::Json::parse(tests::read_whole("bits.json"));
    json["data"]["test"][part] = "d.npy";
    tests::write_whole("e.json", json.dump());
    return WatchedCase{{"eval", "bits/qat.stair", "--data", "e.json", "--threads", "1"}};
  });
}

TEST_CASE("damaged NumPy files that are read piece by piece") {
  check_none(npy_in_file, [](Draws& draws) {
    const std::string file = draws.of(Words{"test.images.npy", "test.bytes.npy"});
    tests::write_whole("d.npy", tests::mutate_bytes(tests::read_whole(file), draws));
    ir::Json json = ir::Json::parse(tests::read_whole("bits.json"));
    json["data"]["test"].update({{"images", "d.npy"}, {"in_memory", false}});
    if (file == "test.images.npy") {
      tests::write_whole("e.json", json.dump());
      return WatchedCase{{"eval", "bits/qat.stair", "--data", "e.json", "--threads", "1"}};
    }
    json["data"]["train"] = json["data"]["test"];
    if (draws.one_in(2)) json["data"]["validation"] = 0.5;
    json["batch"] = 2;
    json["stages"] = ir::Json::array({json["stages"][0]});
    tests::write_whole("e.json", json.dump());
    return WatchedCase{{"train", "e.json", "--run", "again", "--overwrite", "--quiet", "--threads", "1"}};
  });
}

TEST_CASE("damaged IDX files") {
  check_none(idx, [](Draws& draws) {
    const std::string part = draws.of(Words{"images", "labels"});
    tests::write_whole("d.idx", tests::mutate_bytes(tests::read_whole("test." + part + ".idx"), draws));
    ir::Json json = ir::Json::parse(tests::read_whole("conv.json"));
    json["data"]["test"][part] = "d.idx";
    tests::write_whole("e.json", json.dump());
    return WatchedCase{{"eval", draws.of(Words{"conv", "conv/qat.stair"}), "--data", "e.json", "--threads", "1"}};
  });
}

TEST_CASE("damaged CIFAR files") {
  check_none(cifar, [](Draws& draws) {
    tests::write_whole("d.cifar", tests::mutate_bytes(tests::read_whole("test.cifar"), draws));
    ir::Json json = ir::Json::parse(tests::read_whole("binary.json"));
    json["data"]["test"]["batches"] = ir::Json::array({"d.cifar"});
    tests::write_whole("e.json", json.dump());
    return WatchedCase{{"eval", "binary/qat.stair", "--data", "e.json", "--threads", "1"}};
  });
}

TEST_CASE("damaged gzip files") {
  check_none(gz, [](Draws& draws) {
    std::string bytes = tests::read_whole(draws.of(Words{"x.npy", "u8.npy"}));
    if (draws.one_in(2)) {
      bytes = tests::gzipped(tests::mutate_bytes(bytes, draws));
    } else {
      bytes = tests::mutate_bytes(tests::gzipped(bytes), draws);
    }
    tests::write_whole("in.npy.gz", bytes);
    return WatchedCase{{"run", "conv/qat.stair", "--input", "in.npy.gz", "--threads", "1"}};
  });
}

// The test data of an experiment of that format, with a file in its place.
WatchedCase on_data(const std::string& name, const std::string& format, const ir::Json& test) {
  ir::Json json = ir::Json::parse(tests::read_whole(name + ".json"));
  json["data"] = {{"format", format}, {"train", test}, {"test", test}};
  if (name == "conv") json["data"].update({{"mean", {0.4}}, {"std", {0.3}}});
  tests::write_whole("e.json", json.dump());
  return WatchedCase{{"eval", name + "/qat.stair", "--data", "e.json", "--threads", "1"}};
}

TEST_CASE("damaged .npz files") {
  check_none(npz, [](Draws& draws) {
    const std::string file = draws.of(Words{"stored.npz", "deflated.npz"});
    tests::write_whole("d.npz", tests::mutate_bytes(tests::read_whole(file), draws));
    return on_data("bits", "npz", {{"arrays", "d.npz"}, {"images", "x"}, {"labels", "y"}});
  });
}

TEST_CASE("damaged tables") {
  check_none(csv, [](Draws& draws) {
    const std::string whole = tests::read_whole("test.csv");
    tests::write_whole("d.csv", draws.one_in(2) ? tests::mutate_bytes(whole, draws)
                                                : tests::mutate_text(whole, {",", "\"", "\n", "nan", "1e39", "-1", "a", " "}, draws));
    return WatchedCase{{"train", "table.json", "--run", "again", "--overwrite", "--quiet", "--threads", "1"}};
  });
}

TEST_CASE("damaged pictures") {
  check_none(pictures, [](Draws& draws) {
    const std::string file = draws.of(Words{"picture.png", "picture.jpg"});
    std::filesystem::remove_all("classes");
    for (const char* name : {"a", "b"}) {
      std::filesystem::create_directories("classes/" + std::string(name));
      std::filesystem::copy_file("picture.png", "classes/" + std::string(name) + "/1.png");
    }
    tests::write_whole("classes/b/2" + file.substr(file.rfind('.')), tests::mutate_bytes(tests::read_whole(file), draws));
    ir::Json part{{"folder", "classes"}, {"shorter_side", 8}};
    if (draws.one_in(3)) part["skip_damaged"] = true;
    return on_data("conv", "folder", part);
  });
}

TEST_CASE("damaged pictures that a model is run on") {
  check_none(pictures_of_run, [](Draws& draws) {
    const std::string file = draws.of(Words{"picture.png", "picture.jpg"});
    const std::string name = "d" + file.substr(file.rfind('.'));
    tests::write_whole(name, tests::mutate_bytes(tests::read_whole(file), draws));
    return WatchedCase{{"run", draws.one_in(2) ? "pictures.stair" : "conv/qat.stair", "--input", name, "--threads", "1"}};
  });
}

TEST_CASE("damaged by cutting: blank and truncated files") {
  struct Cut {
    std::string file;
    Words command;  // reads "cut" with the file's extension
  };
  static const std::vector<Cut> cuts{{"conv/qat.safetensors", {"inspect", "cut.safetensors"}},
                                     {"conv/qat.stair", {"inspect", "cut.stair"}},
                                     {"conv/qat.stair", {"run", "cut.stair", "--input", "x.npy"}},
                                     {"conv.sir", {"inspect", "cut.sir"}},
                                     {"conv.train.sir", {"opt", "cut.sir"}},
                                     {"conv.model.json", {"inspect", "cut.json"}},
                                     {"conv.json", {"train", "cut.json", "--run", "again", "--overwrite", "--quiet"}},
                                     {"conv.json", {"eval", "conv/qat.stair", "--data", "cut.json"}},
                                     {"conv.json", {"bench", "conv.model.json", "--plan", "--recipe", "cut.json"}},
                                     {"x.npy", {"run", "conv/qat.stair", "--input", "cut.npy"}}};
  check_none(cutting, [](Draws& draws) {
    const Cut& cut = draws.of(cuts);
    const std::string whole = tests::read_whole(cut.file);
    const std::uint64_t size = draws.one_in(4) ? draws.below(4) : draws.below(whole.size());
    tests::write_whole("cut" + cut.file.substr(cut.file.rfind('.')), draws.one_in(8) ? std::string(size, ' ') : whole.substr(0, size));
    return WatchedCase{cut.command};
  });
}

TEST_CASE("damaged files of a run") {
  check_none(run_folder, [](Draws& draws) {
    std::filesystem::remove_all("again");
    std::filesystem::copy("conv", "again");
    if (draws.one_in(2))
      std::filesystem::copy_file("again/float.safetensors", "again/last.safetensors", std::filesystem::copy_options::overwrite_existing);
    const std::string file = draws.of(Words{"metrics.jsonl", "summary.json", "config.json", "float.json", "ptq.json", "qat.json"});
    const std::string text = tests::read_whole("conv/" + file);
    tests::write_whole("again/" + file,
                       draws.one_in(2) ? tests::mutate_json(text, draws) : tests::mutate_text(text, {"null", "{}", "[]"}, draws));
    if (draws.one_in(8))
      std::filesystem::remove("again/" +
                              draws.of(Words{"metrics.jsonl", "float.json", "ptq.json", "ptq.safetensors", "float.safetensors"}));
    return WatchedCase{
        {"train", file == "config.json" ? "again/config.json" : "conv.json", "--run", "again", "--resume", "--quiet", "--threads", "1"}};
  });
}
