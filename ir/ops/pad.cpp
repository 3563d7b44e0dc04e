#include "ir/ops/move.h"

namespace stair::ir::ops {
namespace {

std::vector<ValueId> pad_backward(GradientContext& g) {
  const Shape x = g.type(g.operand(0)).shape;
  const std::vector<std::int64_t>& padding = g.attributes().integers("padding");
  Shape axes;
  Shape starts;
  Shape ends;
  for (std::size_t i = 0; i < x.size(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
    starts.push_back(padding[i]);
    ends.push_back(padding[i] + x[i]);
  }
  return {g.emit("slice", {g.gradient()}, {{"axes", axes}, {"starts", starts}, {"ends", ends}})};
}

}  // namespace

void pad(OpRegistry& registry) {
  add_move(
      registry, "pad", "x surrounded by `value`", {padding_attribute(), {"value", "between the edges of x and of the result", 0.0}},
      [](const InferContext& c) {
        same_as_first_float(c);
        return infer_pad(c);
      },
      pad_backward,
      [](const InferContext& c) {
        const std::vector<std::int64_t>& padding = c.attributes.integers("padding");
        return of_first(c, [&](std::size_t d) { return padding[d] == 0 && padding[c.shape(0).size() + d] == 0; });
      },
      // On integers the zero point stands for 0.
      {}, moves("pad_integer", [](const Attributes& attributes) { return attributes.number("value") == 0; }));
}

}  // namespace stair::ir::ops
