#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "frontend/driver/command.h"
#include "frontend/driver/options.h"
#include "frontend/readers/deployed.h"
#include "ir/error.h"
#include "runtime/batches.h"
#include "runtime/npy.h"

namespace stair::driver::commands {
namespace {

struct ArtifactOptions {
  std::string artifact, input, output;
  bool raw = false;
  std::shared_ptr<ExecutionOptions> execution;
};

// What the file holds, of the artifact's shape: f32 or u8 [N, ...].
runtime::Tensor read_images(const ArtifactOptions& options, const runtime::Artifact& artifact) {
  const std::string& path = options.input;
  runtime::Tensor given = runtime::read_npy(path);
  ir::Shape one = artifact.graph.type(artifact.graph.inputs().front()).shape;
  one.erase(one.begin());
  ir::Shape found = given.type().shape;
  if (found == one) found.insert(found.begin(), 1);
  if (found.empty() || ir::Shape(found.begin() + 1, found.end()) != one) {
    throw Error(path + ": holds " + to_string(given.type()) + ", the model expects " + ir::to_string(one) + " or a batch of them");
  }
  const ir::DType dtype = given.type().dtype;
  if (dtype != ir::DType::f32 && dtype != ir::DType::u8) throw Error(path + ": holds " + to_string(given.type()) + ", expected u8 or f32");
  runtime::Tensor images({dtype, found});
  std::memcpy(images.view().data, given.view().data, given.bytes());
  runtime::check_images(images, path);
  return images;
}

// Pictures like those that the model was trained on become its input as they did there; others have no one meaning.
void check_scaling(const ArtifactOptions& options, const runtime::Artifact& artifact, ir::DType found) {
  const bool is_float = found == ir::DType::f32;
  const char* const raw = "; --raw takes f32 as the model's input";
  if (!artifact.images.empty() && name_of(found) != artifact.images) {
    throw Error(fmt::format("{}: holds {}, the model was trained on {} pictures: u8 is divided by 255, f32 isn't{}", options.input,
                            name_of(found), artifact.images, is_float ? raw : ""));
  }
  if (artifact.images.empty() && is_float && !runtime::same_normalization(artifact.normalization, {})) {
    throw Error(fmt::format("{}: holds f32, and {} doesn't say whether its mean and std are of such pictures, expected u8{}", options.input,
                            options.artifact, raw));
  }
}

// [N, ...] f32 as the graph takes it.
runtime::Tensor model_input(const ArtifactOptions& options, const runtime::Artifact& artifact) {
  runtime::Tensor images = read_images(options, artifact);
  const ir::Type type = images.type();
  if (options.raw) {
    if (type.dtype != ir::DType::f32) throw Error("--raw: " + options.input + " holds " + to_string(type) + ", expected f32");
    return images;
  }
  check_scaling(options, artifact, type.dtype);
  const runtime::Dataset pictures{std::move(images), runtime::Tensor({ir::DType::i32, {type.shape.front()}}), options.input};
  runtime::Batches batches(pictures, type.shape.front(), artifact.normalization, {}, 0);
  batches.load_evaluation(0);
  runtime::Tensor input(batches.type());
  std::memcpy(input.view().data, batches.images().data, input.bytes());
  return input;
}

int run_run(const ArtifactOptions& options) {
  readers::Deployed artifact = readers::load_deployed(options.artifact);
  const runtime::Tensor input = model_input(options, artifact);
  runtime::Executor executor =
      frontend::executor_for(readers::at_batch(artifact, input.type().shape.front()), artifact.constants, options.execution->compile());
  const ir::TensorView inputs[] = {input.view()};
  executor.run(inputs);
  const ir::TensorView result = executor.output(executor.graph().outputs().front().name);
  if (!options.output.empty()) {
    runtime::write_npy(result, options.output);
    fmt::print("{}: {}\n", options.output, to_string(result.type));
    return 0;
  }
  const std::int64_t per_image = result.count() / result.dim(0);
  for (std::int64_t i = 0; i < result.dim(0); ++i) {
    std::vector<double> row;
    for (std::int64_t k = i * per_image; k < (i + 1) * per_image; ++k) row.push_back(runtime::element(result, k));
    fmt::print("image {}: class {}  [{:.6g}]\n", i, std::max_element(row.begin(), row.end()) - row.begin(), fmt::join(row, ", "));
  }
  return 0;
}

}  // namespace

void run(CommandRegistry& registry) {
  registry.add({"run", "Runs an artifact on a .npy file", [](CLI::App& app) {
                  auto options = std::make_shared<ArtifactOptions>();
                  app.add_option("artifact", options->artifact, "artifact (.stair)")->required();
                  app.add_option("--input", options->input, ".npy: pictures as the model was trained on, u8 or f32")->required();
                  app.add_flag("--raw", options->raw, "the input is f32 as the graph takes it: not normalized");
                  app.add_option("--output", options->output, ".npy to write (default: print)");
                  options->execution = add_execution_options(app);
                  return [options] { return run_run(*options); };
                }});
}

}  // namespace stair::driver::commands
