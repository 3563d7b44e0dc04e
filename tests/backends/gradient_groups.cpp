#include <doctest/doctest.h>

#include "tests/support/group.h"
#include "tests/support/seeds.h"

// What gradients run through on their way back between two layers.

namespace stair::tests {
namespace {

Group gradient_group(std::uint64_t seed) {
  GroupBuilder b(seed);
  const ir::Shape shape = b.activations();
  ir::ValueId value = b.floats(shape);
  const bool adds = b.pick(2) == 0;
  const std::int64_t filter = adds ? 1 + b.pick(3) : b.pick(4);
  const bool normalizes = filter == 0 || b.pick(3) > 0;
  if (adds) value = b.graph().emit("add", {value, b.floats(shape)});
  if (filter == 1) value = b.graph().emit("apply_mask", {value, b.bytes({(ir::element_count(shape) + 7) / 8})});
  if (filter == 2) value = b.graph().emit("relu_grad", {value, b.floats(shape)});
  if (filter == 3) value = b.graph().emit("relu6_grad", {value, b.floats(shape)});
  if (normalizes) {
    const ir::Shape channels{shape[1]};
    b.graph().emit("batch_norm_grad", {value, b.floats(shape), b.floats(channels), b.floats(channels), b.floats(channels)});
  }
  for (const ir::ValueId result : b.results()) b.output(result);
  return b.take();
}

}  // namespace

TEST_CASE("gradients between two layers run as one kernel, with the bits of its nodes alone") {
  for (const std::uint64_t seed : seeds(150)) {
    INFO(replay(seed));
    check_group_on_openblas(gradient_group(seed));
  }
}

}  // namespace stair::tests
