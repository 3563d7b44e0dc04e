#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "ir/rebatch.h"
#include "runtime/artifact.h"
#include "runtime/batches.h"
#include "runtime/npy.h"

// Files of arithmetic version 1, written by the program of that time: NAME.stair, an input NAME.x.npy and what came out, NAME.y.npy.

using namespace stair;

namespace {

const std::string folder = std::string(STAIR_SOURCE_DIR) + "/tests/artifacts/v1/";

std::vector<std::string> names() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".stair") found.push_back(entry.path().stem());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// Those whose integers stand behind sums of floats, whose last bits are the machine's.
bool sums_floats(const std::string& name) {
  return name == "binary" || name == "float_islands" || name == "shapes";
}

runtime::Tensor model_input(const std::string& name, const runtime::Artifact& artifact) {
  runtime::Tensor given = runtime::read_npy(folder + name + ".x.npy");
  if (given.type().dtype == ir::DType::f32) return given;
  const std::int64_t count = given.type().shape.front();
  const runtime::Dataset pictures{std::move(given), runtime::Tensor({ir::DType::i32, {count}}), name};
  runtime::Batches batches(pictures, count, {artifact.mean, artifact.std}, {}, 0);
  batches.load_evaluation(0);
  runtime::Tensor input(batches.type());
  std::copy_n(batches.images().as<float>(), input.count(), input.as<float>());
  return input;
}

}  // namespace

TEST_CASE("artifacts of arithmetic version 1 keep their bits on every backend") {
  REQUIRE(names().size() == 16);
  for (const std::string& name : names()) {
    CAPTURE(name);
    runtime::Artifact artifact = runtime::load_artifact(folder + name + ".stair");
    const runtime::Tensor input = model_input(name, artifact);
    const runtime::Tensor expected = runtime::read_npy(folder + name + ".y.npy");
    for (const backends::Backend* backend : backends::every()) {
      CAPTURE(std::string(backend->name()));
      runtime::Executor executor =
          driver::executor_for(ir::with_batch(artifact.graph, input.type().shape.front()), artifact.constants, {{backend}, 2, 0});
      const ir::TensorView inputs[] = {input.view()};
      executor.run(inputs);
      const ir::TensorView found = executor.output(executor.graph().outputs().front().name);
      REQUIRE(found.type == expected.type());
      if (found.type.dtype != ir::DType::f32) {
        CHECK(std::equal(found.as<std::uint8_t>(), found.as<std::uint8_t>() + found.count(), expected.as<std::uint8_t>()));
        continue;
      }
      for (std::int64_t i = 0; i < found.count(); ++i) {
        const float difference = std::abs(found.as<float>()[i] - expected.as<float>()[i]);
        CHECK(difference <= (sums_floats(name) ? 1e-2F : 0.0F));
      }
    }
  }
}
