#include "ir/ops/resize.h"

namespace stair::ir::ops {

void resize_nearest(OpRegistry& registry) {
  add_move(
      registry, "resize_nearest", "images of another size: pixel i is pixel floor(i in / out) along either side", {size_attribute()},
      [](const InferContext& c) -> std::vector<Type> {
        return {{c.operand(0).dtype, infer_resize(c, c.shape(0))}};
      },
      [](GradientContext& g) { return resize_backward(g, "resize_nearest_grad"); }, each_plane);
  add_resize_gradient(registry, "resize_nearest_grad", "dy added up at the pixels that were taken");
}

}  // namespace stair::ir::ops
