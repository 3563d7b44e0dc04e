#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void broadcast(OpRegistry& registry) {
  registry.add({.name = "broadcast",
                .summary = "repeats x along dimensions of 1 to the shape",
                .operands = {{"x", "floats"}},
                .results = {{"y", "of the shape"}},
                .attributes = {{"shape", "of the result", std::vector<std::int64_t>{}, true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  const Shape& x = c.shape(0);
                  const Shape& shape = c.attributes.integers("shape");
                  bool fits = x.size() <= shape.size();
                  for (std::size_t i = 1; fits && i <= x.size(); ++i) {
                    fits = x[x.size() - i] == 1 || x[x.size() - i] == shape[shape.size() - i];
                  }
                  c.expect(fits, "x " + to_string(x) + " doesn't broadcast to " + to_string(shape));
                  return {{c.operand(0).dtype, shape}};
                },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  const Shape shape = g.type(g.operand(0)).shape;
                  return {g.reduce_to(g.gradient(), shape)};
                }),
                .integer = no_integer_form("stands in gradients only"),
                .dimensions =
                    [](const InferContext& c) {
                      Dimensions all = each_element(c);
                      for (std::int64_t& d : all[0]) d += static_cast<std::int64_t>(c.attributes.integers("shape").size() - all[0].size());
                      return all;
                    }});
}

}  // namespace stair::ir::ops
