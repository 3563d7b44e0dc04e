#include "ir/ops/update.h"

namespace stair::ir::ops {

void clip(OpRegistry& registry) {
  registry.add(of_update({.name = "clip",
                          .summary = "min(max(x, low), high)",
                          .operands = {{"x", "floats"}},
                          .results = {{"y", "of the type of x"}},
                          .attributes = {{"low", "least", -1.0, true}, {"high", "largest", 1.0, true}},
                          .infer =
                              [](const InferContext& c) {
                                c.expect(c.attributes.number("low") <= c.attributes.number("high"), "low is more than high");
                                return same_as_first_float(c);
                              },
                          .in_place = {0}}));
}

}  // namespace stair::ir::ops
