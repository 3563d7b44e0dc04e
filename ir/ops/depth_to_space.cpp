#include "ir/ops/blocks.h"

namespace stair::ir::ops {

void depth_to_space(OpRegistry& registry) {
  add_blocks(registry, "depth_to_space", "space_to_depth", "channels of a pixel become a block of pixels",
             [](const InferContext& c, const Shape& x, std::int64_t block) -> Shape {
               c.expect(x[1] % (block * block) == 0,
                        "the " + std::to_string(block * block) + " pixels of a block don't divide the channels of x " + to_string(x));
               return {x[0], x[1] / (block * block), x[2] * block, x[3] * block};
             });
}

}  // namespace stair::ir::ops
