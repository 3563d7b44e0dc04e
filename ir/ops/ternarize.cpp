#include "ir/estimator.h"
#include "ir/ops/common.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

AttributeSpec per_channel_attribute() {
  return {"per_channel", "one threshold and scale an output channel", true};
}

// Inside is what integers in [-1, 1] of the scale hold.
std::vector<ValueId> pass_ternary(GradientContext& g) {
  return {straight_through(g, [&] {
    const ValueId scale = g.emit_all("ternarize", {g.operand(0)}, {{"per_channel", g.attributes().at("per_channel")}})[1];
    const ValueId zero = g.emit("constant", {}, {{"dtype", std::string("i32")}});
    return g.emit("clipped_gradient", {g.gradient(), g.operand(0), scale, zero}, {{"lo", std::int64_t{-1}}, {"hi", std::int64_t{1}}});
  })};
}

Simulated ternary_integers(const RewriteContext& c) {
  const std::vector<ValueId> made =
      c.graph.add("ternarize", c.operands, {{"per_channel", c.node.attributes.at("per_channel")}}, c.graph.derived(c.node.name, "q"))
          .results;
  return {made[0], made[1], c.emit("constant", {}, "zero_point", {{"dtype", std::string("i32")}}), -1, 1};
}

}  // namespace

void ternarize(OpRegistry& registry) {
  registry.add(on_integers({.name = "ternarize",
                            .summary = "N-TERNARY: +1, 0 or -1, and the scale of it",
                            .operands = {{"w", "weights, output channels first"}},
                            .results = {{.name = "q",
                                         .doc = "s8",
                                         .within =
                                             [](const Attributes&) {
                                               return Limits{-1, 1};
                                             },
                                         .packed_bits = [](const Attributes&) { return std::int64_t{2}; }},
                                        {"scale", "[C] or [1], positive"}},
                            .attributes = {per_channel_attribute()},
                            .infer = [](const InferContext& c) -> std::vector<Type> {
                              const Type of_scales = scales_of_weights(c);
                              return {{DType::s8, c.shape(0)}, of_scales};
                            }}));
  registry.add({.name = "fake_ternarize",
                .summary = "ternarize as floats: q * scale, with the straight-through estimator as its gradient",
                .operands = {{"w", "weights, output channels first"}},
                .results = {{"y", "of the type of w"}},
                .attributes = with_estimator({per_channel_attribute()}),
                .infer =
                    [](const InferContext& c) {
                      scales_of_weights(c);
                      return same_as_first_float(c);
                    },
                .gradient = gradient(pass_ternary),
                .integer = simulates(ternary_integers)});
}

}  // namespace stair::ir::ops
