#include "ir/ops/common.h"

namespace stair::ir::ops {

void apply_mask(OpRegistry& registry) {
  registry.add(of_backward({.name = "apply_mask",
                            .summary = "dy where the bit is set, else 0",
                            .operands = {{"dy", "gradient, floats"}, {"mask", "u8, 8 elements a byte, as range_mask yields it"}},
                            .results = {{"dx", "of the type of dy"}},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              expect_dtype(c, 1, DType::u8);
                              const Shape expected = mask_shape(c.shape(0));
                              c.expect(c.shape(1) == expected,
                                       "operand 'mask' is " + to_string(c.shape(1)) + ", expected " + to_string(expected));
                              return same_as_first_float(c);
                            },
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
