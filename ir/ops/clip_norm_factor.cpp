#include "ir/ops/update.h"

namespace stair::ir::ops {

void clip_norm_factor(OpRegistry& registry) {
  registry.add(of_update({.name = "clip_norm_factor",
                          .summary = "min(1, max_norm / norm) over the norm of all gradients together (Pascanu 2013, algorithm 1)",
                          .operands = {{"gradients", "any number of them", false, true}},
                          .results = {{"factor", "f32[1]"}},
                          .attributes = {{"max_norm", "largest norm", 1.0, true, above(0)}},
                          .infer = [](const InferContext& c) -> std::vector<Type> {
                            same_as_first_float(c);
                            for (const Type* gradient : c.operands) {
                              c.expect(gradient->dtype == c.operand(0).dtype, "gradients are " + to_string(c.operand(0)) + " and " +
                                                                                  to_string(*gradient) + ", expected one element type");
                            }
                            return {{c.operand(0).dtype, {1}}};
                          }}));
}

}  // namespace stair::ir::ops
