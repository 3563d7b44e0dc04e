#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/importer.h"
#include "frontend/readers/deployed.h"
#include "frontend/readers/trained.h"
#include "ir/error.h"
#include "ir/examples.h"
#include "ir/index_inputs.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"
#include "runtime/batches.h"
#include "runtime/npy.h"
#include "runtime/picture_file.h"

namespace stair::driver::commands {
namespace {

struct RunOptions {
  std::string target, weights;
  std::vector<std::string> inputs, outputs;
  bool raw = false;
  std::shared_ptr<ExecutionOptions> execution;
};

// The files that an option names by input or output, "NAME=FILE"; a file alone is of the only one. Several pictures are a batch.
std::map<std::string, std::vector<std::string>> files_by_name(const std::string& option, const std::vector<std::string>& given,
                                                              const std::vector<std::string>& names) {
  std::map<std::string, std::vector<std::string>> files;
  for (const std::string& text : given) {
    const auto its = [&](const std::string& name) { return text.starts_with(name + "="); };
    const auto name = std::find_if(names.begin(), names.end(), its);
    const bool named = name != names.end();
    if (!named && names.size() > 1) {
      throw Error(fmt::format("{} {}: expected NAME=FILE, of {}{}", option, text, one_of(names),
                              did_you_mean(text.substr(0, text.find('=')), names)));
    }
    const std::string& of = named ? *name : names.front();
    std::vector<std::string>& its_files = files[of];
    its_files.push_back(named ? text.substr(of.size() + 1) : text);
    if (its_files.size() > 1 && !(runtime::names_a_picture(its_files.front()) && runtime::names_a_picture(its_files.back())))
      throw Error(fmt::format("{} {}: '{}' has a file already", option, text, of));
  }
  return files;
}

// An input of the graph, and the files that it is made of: one, or pictures.
struct InputFile {
  const ir::Type& type;
  const runtime::InputForm& form;
  const std::vector<std::string>& pictures;
  std::int64_t rows;  // of the embedding that it is indices of; 0: of none
  const std::string& path = pictures.front();
};

// Pictures [N, C, H, W], scaled and cut to the input's size as in training.
runtime::Examples read_pictures(const RunOptions& options, const InputFile& input) {
  const ir::Shape& shape = input.type.shape;
  if (shape.size() != 4 || (shape[1] != 1 && shape[1] != 3))
    throw Error(fmt::format("{}: is a picture of 1 or 3 channels, the model expects {}", input.path, ir::to_string(shape)));
  const std::optional<std::int64_t> shorter = input.form.images.shorter_side;
  runtime::Tensor images({ir::DType::u8, {static_cast<std::int64_t>(input.pictures.size()), shape[1], shape[2], shape[3]}});
  auto* to = images.as<std::uint8_t>();
  for (const std::string& path : input.pictures) {
    const runtime::DecodedPicture picture =
        shorter ? runtime::read_scaled_picture(path, shape[1], *shorter, shape[2], shape[3]) : runtime::read_picture(path, shape[1]);
    if (!shorter && (picture.height != shape[2] || picture.width != shape[3])) {
      throw Error(fmt::format("{}: has {} x {} pixels, expected {} x {}: {} doesn't say that pictures were scaled in training", path,
                              picture.width, picture.height, shape[3], shape[2], options.target));
    }
    runtime::cut_window(picture, nullptr, shape[2], shape[3], to);
    to += ir::element_count(shape);
  }
  return images;
}

// What the file holds, of the input's shape: f32 or u8 [N, ...], or indices.
runtime::Examples read_images(const InputFile& input) {
  runtime::Tensor given = runtime::read_npy(input.path);
  const ir::Shape one(input.type.shape.begin() + 1, input.type.shape.end());
  ir::Shape found = given.type().shape;
  if (found == one) found.insert(found.begin(), 1);
  if (found.empty() || ir::Shape(found.begin() + 1, found.end()) != one) {
    throw Error(input.path + ": holds " + to_string(given.type()) + ", the model expects " + ir::to_string(one) + " or a batch of them");
  }
  if (input.rows > 0) {
    runtime::Tensor batch({given.type().dtype, found});
    std::memcpy(batch.view().data, given.view().data, given.bytes());
    return runtime::as_indices(batch, input.rows, input.path);
  }
  const ir::DType dtype = given.type().dtype;
  if (dtype != ir::DType::f32 && dtype != ir::DType::u8)
    throw Error(input.path + ": holds " + to_string(given.type()) + ", expected u8 or f32");
  runtime::Tensor images({dtype, found});
  std::memcpy(images.view().data, given.view().data, given.bytes());
  runtime::Examples examples(std::move(images));
  runtime::check_images(examples, input.path);
  return examples;
}

// Pictures like those that the model was trained on become its input as they did there; others have no one meaning.
void check_scaling(const RunOptions& options, const InputFile& input, ir::DType found) {
  const bool is_float = found == ir::DType::f32;
  const char* const raw = "; --raw takes f32 as the model's input";
  const runtime::Normalization& normalization = input.form.normalization;
  const std::string& element = input.form.images.element;
  if (!element.empty() && name_of(found) != element) {
    throw Error(fmt::format("{}: holds {}, the model was trained on {} pictures: u8 is divided by 255, f32 isn't{}", input.path,
                            name_of(found), element, is_float ? raw : ""));
  }
  if (element.empty() && is_float && !runtime::same_normalization(normalization, {})) {
    throw Error(fmt::format("{}: holds f32, and {} doesn't say whether its mean and std are of such pictures, expected u8{}", input.path,
                            options.target, raw));
  }
}

// [N, ...] as the graph takes it.
runtime::Tensor model_input(const RunOptions& options, const InputFile& input, bool raw) {
  const bool is_picture = runtime::names_a_picture(input.path);
  if (is_picture && input.rows > 0) throw Error(input.path + ": is a picture, the model's input is of indices, expected .npy");
  const runtime::Examples images = is_picture ? read_pictures(options, input) : read_images(input);
  const ir::DType element = images.type().dtype;
  if (!raw && input.rows == 0) check_scaling(options, input, element);
  if (raw && input.rows == 0 && element != ir::DType::f32) {
    throw Error(fmt::format("{}{} holds {}, expected f32", options.raw ? "--raw: " : "", input.path, to_string(images.type())));
  }
  const runtime::Dataset pictures(images, runtime::Tensor({ir::DType::i32, {images.count()}}), input.path);
  runtime::Batches batches(pictures, images.count(), {raw ? runtime::Normalization() : input.form.normalization}, {}, 0);
  batches.load_evaluation(0);
  return batches.loaded().inputs.front().clone();
}

// An artifact, or a model with its weights, in float.
struct Subject {
  ir::Graph graph;
  std::vector<runtime::InputForm> inputs;
  std::function<runtime::Executor(std::int64_t batch)> executor;
};

Subject load_artifact(const RunOptions& options) {
  if (!options.weights.empty()) throw Error("--weights " + options.weights + ": an artifact has its own");
  auto artifact = std::make_shared<readers::Deployed>(readers::load_deployed(options.target));
  return {artifact->graph, artifact->inputs, [artifact, &options](std::int64_t batch) {
            return frontend::executor_for(readers::at_batch(*artifact, batch), artifact->constants, options.execution->compile());
          }};
}

Subject load_model(const RunOptions& options) {
  if (options.raw) throw Error("--raw: " + options.target + " takes f32 as it is anyway, expected an artifact");
  frontend::Imported imported = frontend::import_model(options.target, 0);
  const ir::Graph& model = imported.model;
  if (const auto meeting = ir::where_examples_meet(model)) throw Error(options.target + ": " + meeting->message);
  const bool given = !options.weights.empty();
  if (!given && imported.weights.empty() && !model.states().empty())
    throw Error(options.target + ": holds no weights, expected --weights FILE");
  auto weights = std::make_shared<runtime::Tensors>(given ? readers::load_states(options.weights) : std::move(imported.weights));
  readers::check_holds(*weights, model, given ? options.weights : options.target);
  const std::vector<runtime::InputForm> forms(model.inputs().size());
  if (imported.recipe && !given) {
    auto deployed = std::make_shared<frontend::Deployment>(frontend::deploy(model, *imported.recipe, *weights));
    return {deployed->graph, forms, [deployed, &options](std::int64_t batch) {
              return frontend::executor_for(ir::with_batch(deployed->graph, batch), deployed->constants, options.execution->compile());
            }};
  }
  return {model, forms, [weights, &options, model](std::int64_t batch) {
            return frontend::compile(model, passes::float_evaluation(), batch, *weights, options.execution->compile());
          }};
}

std::vector<runtime::Tensor> model_inputs(const RunOptions& options, const Subject& subject, bool is_model) {
  std::vector<std::string> names;
  for (const ir::ValueId input : subject.graph.inputs()) names.push_back(subject.graph.value(input).name);
  const std::map<std::string, std::vector<std::string>> files = files_by_name("--input", options.inputs, names);
  std::vector<runtime::Tensor> made;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto file = files.find(names[i]);
    if (file == files.end())
      throw Error(fmt::format("{}: its input '{}' is missing, expected --input {}=FILE", options.target, names[i], names[i]));
    const ir::ValueId id = subject.graph.inputs()[i];
    const ir::Type& type = subject.graph.type(id);
    const std::int64_t rows = type.dtype == ir::DType::i32 ? ir::rows_of(subject.graph, id) : 0;
    const InputFile input{type, subject.inputs[i], file->second, rows};
    made.push_back(model_input(options, input, is_model || options.raw));
    const std::int64_t count = made.back().type().shape.front();
    const std::int64_t expected = made.front().type().shape.front();
    if (count != expected)
      throw Error(
          fmt::format("{}: holds {} examples, {} holds {}", file->second.front(), count, files.at(names.front()).front(), expected));
  }
  return made;
}

void print_row(const ir::TensorView& result, std::int64_t i) {
  const std::int64_t per_image = result.count() / result.dim(0);
  std::vector<double> row;
  for (std::int64_t k = i * per_image; k < (i + 1) * per_image; ++k) row.push_back(runtime::element(result, k));
  if (result.type.dtype == ir::DType::i32) {
    fmt::print("[{:.0f}]\n", fmt::join(row, ", "));
    return;
  }
  fmt::print("class {}  [{:.6g}]\n", std::max_element(row.begin(), row.end()) - row.begin(), fmt::join(row, ", "));
}

int run_run(const RunOptions& options) {
  const bool is_model = frontend::is_model_file(options.target);
  const Subject subject = is_model ? load_model(options) : load_artifact(options);
  std::vector<std::string> names;
  for (const ir::Output& output : subject.graph.outputs()) names.push_back(output.name);
  const std::map<std::string, std::vector<std::string>> files = files_by_name("--output", options.outputs, names);
  std::set<std::string> written;
  for (const auto& [name, all] : files) {
    const std::string& file = all.front();
    if (all.size() > 1) throw Error(fmt::format("--output {}={}: '{}' has a file already", name, all.back(), name));
    if (!written.insert(file).second) throw Error(fmt::format("--output {}={}: another output is written there", name, file));
  }
  const std::vector<runtime::Tensor> inputs = model_inputs(options, subject, is_model);
  std::vector<ir::TensorView> views;
  for (const runtime::Tensor& input : inputs) views.push_back(input.view());
  const std::int64_t batch = views.front().dim(0);
  runtime::Executor executor = subject.executor(batch);
  executor.run(views);
  for (const auto& [name, all] : files) {
    const ir::TensorView result = executor.output(name);
    runtime::write_npy(result, all.front());
    fmt::print("{}: {}\n", all.front(), to_string(result.type));
  }
  for (std::int64_t i = 0; files.empty() && i < batch; ++i) {
    for (const std::string& name : names) {
      fmt::print("image {}: {}", i, names.size() > 1 ? name + ": " : "");
      print_row(executor.output(name), i);
    }
  }
  return 0;
}

}  // namespace

void run(CommandRegistry& registry) {
  registry.add(
      {"run", "Runs an artifact, or a model with its weights in float, on .npy files or pictures", [](CLI::App& app) {
         auto options = std::make_shared<RunOptions>();
         app.add_option("target", options->target, "artifact (.stair), or " + frontend::model_formats() + ", which takes f32 as it is")
             ->required();
         app.add_option("--weights", options->weights, "of a model: weights, a checkpoint or an ONNX model (default: its own)");
         app.add_option("--input", options->inputs,
                        "[NAME=]FILE: .npy, u8, f32 or indices, as the model was trained on, or pictures (.png, .jpg; several are a "
                        "batch); for each input")
             ->required()
             ->allow_extra_args(false);
         app.add_flag("--raw", options->raw, "the input is f32 as the graph takes it: not normalized");
         app.add_option("--output", options->outputs, "[NAME=]FILE.npy to write, one an output (default: print)")->allow_extra_args(false);
         options->execution = add_execution_options(app);
         return [options] { return run_run(*options); };
       }});
}

}  // namespace stair::driver::commands
