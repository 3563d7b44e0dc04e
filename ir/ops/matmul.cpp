#include "ir/ops/matrix.h"

namespace stair::ir::ops {
namespace {

ValueId product(GradientContext& g, ValueId a, ValueId b, bool transpose_a, bool transpose_b) {
  return g.emit("matmul", {a, b}, {{"transpose_a", transpose_a}, {"transpose_b", transpose_b}, {"quantize", false}});
}

// y = op(a) op(b): da = dy op(b)^T, db = op(a)^T dy, each transposed back where its operand was.
std::vector<ValueId> matmul_backward(GradientContext& g) {
  const bool ta = g.attributes().boolean("transpose_a");
  const bool tb = g.attributes().boolean("transpose_b");
  const ValueId a = g.operand(0);
  const ValueId b = g.operand(1);
  const ValueId dy = g.gradient();
  std::vector<ValueId> gradients(2, absent);
  if (g.needs(0)) gradients[0] = g.reduce_to(ta ? product(g, b, dy, tb, true) : product(g, dy, b, false, !tb), g.type(a).shape);
  if (g.needs(1)) gradients[1] = g.reduce_to(tb ? product(g, dy, a, true, ta) : product(g, a, dy, !ta, false), g.type(b).shape);
  return gradients;
}

}  // namespace

void matmul(OpRegistry& registry) {
  registry.add({.name = "matmul",
                .summary = "matrix product of the last two dimensions; the others broadcast",
                .operands = {{"a", "[..., M, K]"}, {"b", "[..., K, N]"}},
                .results = {{"y", "[..., M, N]"}},
                .attributes = matmul_attributes({quantize_attribute()}),
                .infer = [](const InferContext& c) -> std::vector<Type> {
                  same_as_first_float(c);
                  expect_dtype(c, 1, c.operand(0).dtype);
                  return {{c.operand(0).dtype, infer_matmul(c)}};
                },
                .deployed = true,
                .gradient = gradient(matmul_backward),
                .integer = accumulates("matmul_integer", -1, {}),
                .dimensions = dimensions_of_matmul,
                .multiply_accumulates = products_of_matrices,
                .layer = OpSchema::Layer{}});
}

}  // namespace stair::ir::ops
