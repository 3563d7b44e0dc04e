#include "ir/ops/common.h"

namespace stair::ir::ops {

void learned_scale(OpRegistry& registry) {
  registry.add(
      {.name = "learned_scale",
       .summary = "N-LSQ: the scale of a quantizer whose step is trained: |step|, at least 2^-100; power_of_two: rounded up to 2^n",
       .operands = {{"step", "f32[n]"}},
       .results = {{"scale", "f32[n], positive"}},
       .attributes = {{"power_of_two", "N-REQ-POW2", false}},
       .infer = same_as_first_float,
       .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
         return {g.emit("learned_scale_grad", {g.gradient(), g.operand(0)})};
       }),
       .integer = no_integer_form(works_on_parameters)});
  registry.add(of_backward({.name = "learned_scale_grad",
                            .summary = "dy where step >= 0, else -dy: the derivative of |step|",
                            .operands = {{"dy", "gradient by scale"}, {"step", "of the type of dy"}},
                            .results = {{"dx", "gradient by step"}},
                            .infer = [](const InferContext& c) { return same_floats(c, 1); },
                            .in_place = {0}}));
  registry.add({.name = "first_step",
                .summary = "2 * mean(|w|) / sqrt(hi) of all values or of each output channel: the first step of a learned quantizer (Esser "
                           "2020, section 2.1)",
                .operands = {{"w", "weights, output channels first, or an activation"}},
                .results = {{"step", "f32[C] or [1]; 1 where all values are 0"}},
                .attributes = {{"hi", "the largest integer", std::int64_t{}, true, within(1, 255)},
                               {"per_channel", "one step an output channel", true}},
                .infer = [](const InferContext& c) -> std::vector<Type> { return {scales_of_weights(c)}; },
                .gradient = no_gradient("a first value, of which nothing is trained"),
                .integer = no_integer_form(works_on_parameters)});
}

}  // namespace stair::ir::ops
