#include "runtime/weights.h"

#include <doctest/doctest.h>

#include <utility>

#include "ir/error.h"
#include "runtime/checkpoint.h"
#include "runtime/file.h"
#include "tests/runtime/support.h"

using namespace stair;

TEST_CASE("weights are written and read, and are told from checkpoints by what they say") {
  const tests::TemporaryFolder folder;
  runtime::Tensors weights;
  weights["conv.weight"] = runtime::Tensor({ir::DType::f32, {2, 1}});
  weights["conv.weight"].as<float>()[1] = 0.5F;
  runtime::save_weights(std::move(weights), folder / "w.safetensors");
  const std::string bytes = runtime::read_file(folder / "w.safetensors");
  CHECK(runtime::holds_weights(bytes));
  const runtime::Tensors read = runtime::weights_from(bytes, "w.safetensors");
  CHECK(read.at("conv.weight").as<float>()[1] == 0.5F);

  runtime::Checkpoint checkpoint;
  CHECK(!runtime::holds_weights(runtime::to_bytes(checkpoint)));
  CHECK_THROWS_WITH_AS(runtime::weights_from(runtime::to_bytes(checkpoint), "c"),
                       "c: is a staircase checkpoint, expected a staircase weights", Error);
  CHECK_THROWS_WITH_AS(runtime::checkpoint_from(bytes, "w"), "w: is a staircase weights, expected a staircase checkpoint", Error);
  std::string damaged = bytes;
  damaged.back() = static_cast<char>(damaged.back() + 1);
  CHECK_THROWS_WITH_AS(runtime::weights_from(damaged, "w"), doctest::Contains("w: is damaged: its checksum is "), Error);
  for (const std::size_t size : {std::size_t{0}, std::size_t{7}, std::size_t{8}, std::size_t{40}})
    CHECK(!runtime::holds_weights(bytes.substr(0, size)));
}
