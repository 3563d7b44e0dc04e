#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

std::vector<Type> infer(const InferContext& c) {
  same_as_first_float(c);
  expect_single(c, 1);
  expect_single(c, 2);
  return {c.operand(1), c.operand(2)};
}

const std::vector<OperandSpec> operands{{"x", "floats"}, {"min", "f32[1], +inf: nothing seen"}, {"max", "f32[1], -inf: nothing seen"}};
const std::vector<OperandSpec> results{{"min", "the new least"}, {"max", "the new largest"}};
const char* const not_differentiated = "ranges follow the data, not the loss";

}  // namespace

void observers(OpRegistry& registry) {
  registry.add({.name = "observe_min_max",
                .summary = "the least and largest value ever seen",
                .operands = operands,
                .results = results,
                .infer = infer,
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
  registry.add(
      {.name = "observe_moving_average",
       .summary = "exponential moving average of the batch's least and largest value (Jacob 2017, section 3.1); the first batch sets them",
       .operands = operands,
       .results = results,
       .attributes = {{"momentum", "share of the new batch", 0.01}},
       .infer = infer,
       .gradient = no_gradient(not_differentiated),
       .integer = no_integer_form(on_parameters)});
  registry.add({.name = "weight_range",
                .summary = "least and largest weight, of each output channel or of all",
                .operands = {{"w", "weights, output channels first"}},
                .results = {{"min", "[C] or [1]"}, {"max", "[C] or [1]"}},
                .attributes = {{"per_channel", "one range an output channel", true}},
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  c.expect(!c.shape(0).empty(), "w is " + to_string(c.operand(0)) + ", expected output channels first");
                  const Type range{c.operand(0).dtype, {c.attributes.boolean("per_channel") ? c.shape(0)[0] : 1}};
                  return {range, range};
                },
                .gradient = no_gradient(not_differentiated),
                .integer = no_integer_form(on_parameters)});
}

}  // namespace stair::ir::ops
