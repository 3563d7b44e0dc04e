#include "ir/ops/blocks.h"

namespace stair::ir::ops {

void space_to_depth(OpRegistry& registry) {
  add_blocks(registry, "space_to_depth", "depth_to_space", "a block of pixels becomes channels of one pixel",
             [](const InferContext& c, const Shape& x, std::int64_t block) -> Shape {
               c.expect(x[2] % block == 0 && x[3] % block == 0,
                        "blocks of " + std::to_string(block) + " don't divide the images of x " + to_string(x));
               return {x[0], x[1] * block * block, x[2] / block, x[3] / block};
             });
}

}  // namespace stair::ir::ops
