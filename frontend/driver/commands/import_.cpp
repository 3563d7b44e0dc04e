#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "frontend/driver/command.h"
#include "frontend/importers/onnx/import.h"
#include "frontend/readers/json_file.h"
#include "frontend/verification/onnx/imported.h"
#include "ir/error.h"
#include "ir/text.h"
#include "runtime/checkpoint.h"
#include "runtime/file.h"
#include "runtime/weights.h"

namespace stair::driver::commands {
namespace {

struct ImportOptions {
  std::string model, output;
  std::vector<std::string> input_shapes;
  bool check = false, no_batch = false, json = false;
};

// "x=N,3,224,224": of one example, without the batch, which may be called anything.
void add_shape(const std::string& given, bool batched, std::map<std::string, ir::Shape>& shapes) {
  const std::size_t sign = given.rfind('=');
  const auto fail = [&](const std::string& expected) { throw Error(fmt::format("--input-shape {}: expected {}", given, expected)); };
  if (sign == std::string::npos || sign == 0) fail("NAME=N,DIMENSION,…");
  ir::Shape shape;
  std::size_t begin = sign + 1;
  for (std::size_t i = 0; begin <= given.size(); ++i) {
    const std::size_t end = std::min(given.find(',', begin), given.size());
    std::int64_t size = 0;
    const auto [rest, error] = std::from_chars(given.data() + begin, given.data() + end, size);
    const bool is_size = rest == given.data() + end && error == std::errc{} && size >= 1;
    const bool is_batch = i == 0 && batched;
    if (!is_size && !(is_batch && given.substr(begin, end - begin) == "N")) fail("dimensions of at least 1, N for the batch");
    if (!is_batch) shape.push_back(size);
    begin = end + 1;
  }
  if (!shapes.emplace(given.substr(0, sign), std::move(shape)).second) fail("each input once");
}

// As a run would have left it that had no data.
runtime::Checkpoint checkpoint_of(const std::string& source, frontend::onnx::Made& made) {
  ir::Json experiment{{"name", "imported"},
                      {"model", made.json},
                      {"data", {{"format", "none"}, {"train", ir::Json::object()}, {"test", ir::Json::object()}}},
                      {"recipe", readers::parse_json(passes::to_json(*made.recipe), source)},
                      {"stages", {{{"kind", "calibrate"}, {"name", "imported"}}}}};
  for (const ir::Output& output : made.graph.outputs()) {
    experiment["losses"].push_back({{"output", output.name}, {"kind", "mean_squared_error"}, {"target", "values"}});
  }
  runtime::Checkpoint checkpoint;
  checkpoint.model = ir::print(made.graph);
  checkpoint.recipe = passes::to_json(*made.recipe);
  checkpoint.experiment = experiment.dump();
  checkpoint.stage_name = "imported";
  checkpoint.seed = 1;
  checkpoint.states = std::move(made.weights);
  return checkpoint;
}

// The model, and a checkpoint that computes the file's integers.
int write_quantized(const ImportOptions& options, const frontend::onnx::Model& file, frontend::onnx::Made& made) {
  const verification::onnx::ImportCheck check = verification::onnx::check_import(file, made);
  const std::string checkpoint = (std::filesystem::path(options.output) / "quantized.safetensors").string();
  const std::string model = (std::filesystem::path(options.output) / "model.json").string();
  const std::size_t layers = made.json["layers"].size();
  const std::size_t tensors = made.weights.size();
  runtime::save_checkpoint(checkpoint_of(options.model, made), checkpoint);
  runtime::write_file(model, readers::to_text(made.json, 1) + "\n");
  for (const std::string& node : made.otherwise) fmt::print(stderr, "runtimes may compute other bits of it: {}\n", node);
  if (options.json) {
    fmt::print("{}\n", readers::to_text({{"model", model},
                                         {"checkpoint", checkpoint},
                                         {"layers", layers},
                                         {"tensors", tensors},
                                         {"outputs", check.outputs},
                                         {"differ", check.differ}}));
  } else {
    fmt::print("{}: {} layers\n{}: {} tensors, quantized\n", model, layers, checkpoint, tensors);
    fmt::print("{} of {} outputs of random inputs differ from those of the file's operators{}\n", check.differ, check.outputs,
               check.differ > 0 ? fmt::format(", by {:.2g} of the largest at most", check.largest) : "");
  }
  return check.holds() ? 0 : 1;
}

int run_import(const ImportOptions& options) {
  if (options.check != options.output.empty())
    throw Error(options.check ? "--check: writes nothing, expected no --output" : "expected --output FOLDER, or --check");
  frontend::onnx::Options open;
  open.batched = !options.no_batch;
  for (const std::string& given : options.input_shapes) add_shape(given, open.batched, open.input_shapes);
  const frontend::onnx::Model file = frontend::onnx::read_model(runtime::read_file(options.model), options.model);
  frontend::onnx::Made made = frontend::onnx::import(file, open, 1);
  if (options.check) {
    if (options.json) {
      fmt::print("{}\n", readers::to_text({{"model", options.model}, {"problems", made.problems}}));
    } else {
      for (const std::string& problem : made.problems) fmt::print("{}\n", problem);
      if (made.problems.empty()) fmt::print("{}: can be imported\n", options.model);
    }
    return made.problems.empty() ? 0 : 1;
  }
  frontend::onnx::expect_none(made.problems, options.model);
  std::error_code error;
  std::filesystem::create_directories(options.output, error);
  if (error) throw Error(options.output + ": " + error.message());
  if (made.recipe) return write_quantized(options, file, made);
  const std::string weights = (std::filesystem::path(options.output) / "weights.safetensors").string();
  const std::string model = (std::filesystem::path(options.output) / "model.json").string();
  const std::size_t layers = made.json["layers"].size();
  const std::size_t tensors = made.weights.size();
  runtime::save_weights(std::move(made.weights), weights);
  runtime::write_file(model, readers::to_text(made.json, 1) + "\n");
  if (options.json) {
    fmt::print("{}\n", readers::to_text({{"model", model}, {"weights", weights}, {"layers", layers}, {"tensors", tensors}}));
  } else {
    fmt::print("{}: {} layers\n{}: {} tensors\n", model, layers, weights, tensors);
  }
  return 0;
}

}  // namespace

// `import` may become a word of the language; the file carries the command's name all the same.
void import_(CommandRegistry& registry) {
  registry.add({"import", "Makes a model JSON and its weights of an ONNX model", [](CLI::App& app) {
                  auto options = std::make_shared<ImportOptions>();
                  app.add_option("model", options->model, "ONNX model (.onnx)")->required();
                  app.add_option("-o,--output", options->output,
                                 "folder to write model.json and its weights to, as weights.safetensors or quantized.safetensors");
                  app.add_option("--input-shape", options->input_shapes,
                                 "NAME=N,DIMENSION,…: of an input, where the file leaves dimensions open; N is the batch");
                  app.add_flag("--no-batch", options->no_batch, "dimension 0 of the inputs doesn't count examples: all of it is one");
                  app.add_flag("--check", options->check, "list the nodes that can't be imported, a line each, and write nothing");
                  app.add_flag("--json", options->json, "for scripts");
                  return [options] { return run_import(*options); };
                }});
}

}  // namespace stair::driver::commands
