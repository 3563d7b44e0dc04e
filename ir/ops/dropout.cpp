#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {

void dropout(OpRegistry& registry) {
  const Bounds share{.low = 0, .high = 1, .below_high = true};
  registry.add(
      {.name = "dropout",
       .summary = "training: 0 with probability rate, else x / (1 - rate) (Srivastava 2014, inverted)",
       .operands = {{"x", "any floats"}, {"counter", "i64[1], which draw this is"}},
       .results = {{"y", "of the type of x"}, {"mask", "u8: 1 where x is kept"}, reduced(Reduction::max, "next", "the counter plus 1")},
       .attributes = {{"rate", "share that is dropped, in [0, 1)", 0.5, false, share},
                      {"seed", "of the draws", std::int64_t{0}},
                      {"stream", "tells the draws of one node from another's", std::int64_t{0}}},
       .infer = [](const InferContext& c) -> std::vector<Type> {
         same_as_first_float(c);
         expect_type(c, 1, {DType::i64, {1}});
         return {c.operand(0), {DType::u8, c.shape(0)}, c.operand(1)};
       },
       .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
         return {g.emit("dropout_grad", {g.gradient(), g.result(1)}, {{"rate", g.attributes().at("rate")}}), absent};
       }),
       .integer = no_integer_form("training only: inference_mode removes it"),
       .inference = OpSchema::Inference{},
       .dimensions = each_element_of_first,
       .layer = OpSchema::Layer{.parameters = {{.operand = "counter",
                                                .role = StateRole::counter,
                                                .type = [](const Attributes&, const Shape&) -> Type {
                                                  return {DType::i64, {1}};
                                                },
                                                .initializer = [](const Attributes&, const Shape&) { return Initializer{}; },
                                                .update_result = "next"}}}});
  registry.add(of_backward({.name = "dropout_grad",
                            .summary = "dy / (1 - rate) where the mask is 1, else 0",
                            .operands = {{"dy", "gradient by y"}, {"mask", "of dropout"}},
                            .results = {{"dx", "gradient by x"}},
                            .attributes = {{"rate", "share that is dropped", 0.5, false, share}},
                            .infer =
                                [](const InferContext& c) {
                                  expect_type(c, 1, {DType::u8, c.shape(0)});
                                  return same_as_first_float(c);
                                },
                            .in_place = {0}}));
}

}  // namespace stair::ir::ops
