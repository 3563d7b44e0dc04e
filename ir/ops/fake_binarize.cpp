#include "ir/ops/binary.h"
#include "ir/ops/dimensions.h"

namespace stair::ir::ops {
namespace {

std::vector<AttributeSpec> with_estimator() {
  std::vector<AttributeSpec> all = binarize_attributes();
  all.push_back({"estimator", "'plain' (identity) or 'clipped' (gradient 0 where |x| > 1)", std::string("plain")});
  all.push_back(
      {"backward", "what gradient rules of readers multiply by: the 'quantized' value, or the 'latent' x", std::string("quantized")});
  return all;
}

}  // namespace

void fake_binarize(OpRegistry& registry) {
  registry.add({.name = "fake_binarize",
                .summary = "binarize as floats, with the straight-through estimator as its gradient",
                .operands = binarize_operands(),
                .results = {{"y", "-1 or +1, of the type of x"}},
                .attributes = with_estimator(),
                .infer =
                    [](const InferContext& c) {
                      check_binarize(c);
                      return same_as_first_float(c);
                    },
                .gradient = gradient([](GradientContext& g) -> std::vector<ValueId> {
                  if (g.attributes().text("estimator") == "plain") return {g.gradient()};
                  return {g.emit("fake_binarize_grad", {g.gradient(), g.operand(0)})};
                }),
                .integer = integer_op(),
                .dimensions = each_element_of_first});
  registry.add({.name = "fake_binarize_grad",
                .summary = "dy where |x| <= 1, else 0: the derivative of hard tanh",
                .operands = {{"dy", "gradient by y"}, {"x", "latent weights"}},
                .results = {{"dx", "gradient by x"}},
                .infer = same_as_first_float,
                .gradient = no_gradient(first_order_only),
                .integer = no_integer_form(backward_only),
                .in_place = {0}});
}

}  // namespace stair::ir::ops
