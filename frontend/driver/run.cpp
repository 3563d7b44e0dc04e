#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstring>
#include <memory>

#include "frontend/command.h"
#include "frontend/deployed.h"
#include "frontend/options.h"
#include "ir/error.h"
#include "runtime/batches.h"
#include "runtime/npy.h"

namespace stair::driver {
namespace {

struct ArtifactOptions {
  std::string artifact, input, output;
  std::shared_ptr<ExecutionOptions> execution;
};

// u8 pictures become floats as in training; f32 is the model's input as it is.
runtime::Tensor model_input(runtime::Tensor given, const runtime::Artifact& artifact, const std::string& path) {
  const ir::Type& expected = artifact.graph.type(artifact.graph.inputs().front());
  ir::Shape one = expected.shape;
  one.erase(one.begin());
  ir::Shape found = given.type().shape;
  if (found == one) found.insert(found.begin(), 1);
  if (found.empty() || ir::Shape(found.begin() + 1, found.end()) != one) {
    throw Error(path + ": holds " + to_string(given.type()) + ", the model expects " + ir::to_string(one) + " or a batch of them");
  }
  if (given.type().dtype == ir::DType::f32) {
    runtime::Tensor input({ir::DType::f32, found});
    std::memcpy(input.view().data, given.view().data, input.bytes());
    return input;
  }
  if (given.type().dtype != ir::DType::u8)
    throw Error(path + ": holds " + to_string(given.type()) + ", expected u8 (pictures) or f32 (the model's input)");
  runtime::Dataset pictures{runtime::Tensor({ir::DType::u8, found}), runtime::Tensor({ir::DType::i32, {found.front()}}), path};
  std::memcpy(pictures.images.view().data, given.view().data, given.bytes());
  runtime::Batches batches(pictures, found.front(), {artifact.mean, artifact.std}, {}, 0);
  batches.load_evaluation(0);
  runtime::Tensor input(batches.type());
  std::memcpy(input.view().data, batches.images().data, input.bytes());
  return input;
}

int run_run(const ArtifactOptions& options) {
  Deployed artifact = load_deployed(options.artifact);
  const runtime::Tensor input = model_input(runtime::read_npy(options.input), artifact, options.input);
  runtime::Executor executor =
      executor_for(at_batch(artifact, input.type().shape.front()), artifact.constants, options.execution->compile());
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
    for (std::int64_t k = i * per_image; k < (i + 1) * per_image; ++k) {
      switch (result.type.dtype) {
        case ir::DType::f32:
          row.push_back(static_cast<double>(result.as<float>()[k]));
          break;
        case ir::DType::u8:
          row.push_back(result.as<std::uint8_t>()[k]);
          break;
        default:
          row.push_back(result.as<std::int8_t>()[k]);
      }
    }
    fmt::print("image {}: class {}  [{:.6g}]\n", i, std::max_element(row.begin(), row.end()) - row.begin(), fmt::join(row, ", "));
  }
  return 0;
}

}  // namespace

void run(CommandRegistry& registry) {
  registry.add({"run", "Runs an artifact on a .npy file", [](CLI::App& app) {
                  auto options = std::make_shared<ArtifactOptions>();
                  app.add_option("artifact", options->artifact, "artifact (.stair)")->required();
                  app.add_option("--input", options->input, ".npy: u8 pictures, or f32 as the model takes them")->required();
                  app.add_option("--output", options->output, ".npy to write (default: print)");
                  options->execution = add_execution_options(app);
                  return [options] { return run_run(*options); };
                }});
}

}  // namespace stair::driver
