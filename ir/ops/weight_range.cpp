#include "ir/ops/observer.h"

namespace stair::ir::ops {

void weight_range(OpRegistry& registry) {
  registry.add(on_parameters({.name = "weight_range",
                              .summary = "least and largest weight, of each output channel or of all",
                              .operands = {{"w", "weights, output channels first"}},
                              .results = {{"min", "[C] or [1]"}, {"max", "[C] or [1]"}},
                              .attributes = {{"per_channel", "one range an output channel", true}},
                              .infer = [](const InferContext& c) -> std::vector<Type> {
                                same_as_first_float(c);
                                c.expect(!c.shape(0).empty(), "w is " + to_string(c.operand(0)) + ", expected output channels first");
                                const Type range{c.operand(0).dtype, {c.attributes.boolean("per_channel") ? c.shape(0)[0] : 1}};
                                return {range, range};
                              }},
                             ranges_follow_data));
}

}  // namespace stair::ir::ops
