#include "ir/ops/common.h"

namespace stair::ir::ops {

void constant(OpRegistry& registry) {
  registry.add({.name = "constant",
                .summary = "every element is `value`",
                .operands = {},
                .results = {{"y", "of the shape and element type that the attributes say"}},
                .attributes = {{"value", "the number; whole for integer types", 0.0},
                               {"shape", "dimensions", std::vector<std::int64_t>{1}},
                               {"dtype", "element type", std::string("f32")}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  return {{dtype_named(c.attributes.text("dtype")), c.attributes.integers("shape")}};
                },
                .gradient = no_gradient("has no operands"),
                .integer = no_integer_form("is known before deployment")});
}

}  // namespace stair::ir::ops
