#include "ir/ops/common.h"

namespace stair::ir::ops {
namespace {

const std::vector<OperandSpec> operands{{"x", "latent weights"}, {"counter", "i64[1], which draw this is (stochastic)", true}};
const std::vector<AttributeSpec> attributes{{"stochastic", "+1 with probability clamp((x + 1) / 2, 0, 1)", false},
                                            {"seed", "of the draws", std::int64_t{0}},
                                            {"stream", "tells the draws of one tensor from another's", std::int64_t{0}}};

void check(const InferContext& c) {
  expect_dtype(c, 1, DType::i64);
  c.expect(!c.attributes.boolean("stochastic") || c.operands[1] != nullptr, "stochastic needs the operand 'counter'");
}

std::vector<AttributeSpec> with_estimator() {
  std::vector<AttributeSpec> all = attributes;
  all.push_back({"estimator", "'plain' (identity) or 'clipped' (gradient 0 where |x| > 1)", std::string("plain")});
  all.push_back(
      {"backward", "what gradient rules of readers multiply by: the 'quantized' value, or the 'latent' x", std::string("quantized")});
  return all;
}

}  // namespace

void binarize(OpRegistry& registry) {
  registry.add({.name = "binarize",
                .summary = "+1 where x >= 0, else -1 (Courbariaux 2015, equation 1); stochastic: by probability (equation 2)",
                .operands = operands,
                .results = {{"q", "s8 in {-1, +1}"}},
                .attributes = attributes,
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  check(c);
                  same_as_first_float(c);
                  return {{DType::s8, c.shape(0)}};
                },
                .gradient = no_gradient(integers_only),
                .integer = integer_op()});
  registry.add({.name = "fake_binarize",
                .summary = "binarize as floats, with the straight-through estimator as its gradient",
                .operands = operands,
                .results = {{"y", "-1 or +1, of the type of x"}},
                .attributes = with_estimator(),
                .infer =
                    [](const InferContext& c) {
                      check(c);
                      return same_as_first_float(c);
                    },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  if (g.attributes().text("estimator") == "plain") return {g.gradient()};
                  return {g.emit("fake_binarize_grad", {g.gradient(), g.operand(0)})};
                }),
                .integer = integer_op()});
  registry.add({.name = "fake_binarize_grad",
                .summary = "dy where |x| <= 1, else 0: the derivative of hard tanh",
                .operands = {{"dy", "gradient by y"}, {"x", "latent weights"}},
                .results = {{"dx", "gradient by x"}},
                .infer = same_as_first_float,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = 0});
}

}  // namespace stair::ir::ops
