#include <fmt/format.h>

#include <algorithm>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

// x times a constant matrix, as a layer with weights [features, K].
Value emit_linear(NodeContext& c, const Value& x, const Constant& weight, const Constant* bias) {
  Parameters parameters;
  parameters["weight"] = to_tensor(weight, weight.shape);
  if (bias != nullptr) parameters["bias"] = to_tensor(*bias, {bias->count()});
  return c.emit("linear", {x}, {{"features", weight.shape[0]}, {"bias", bias != nullptr}}, std::move(parameters));
}

bool makes_rows(const NodeContext& c, const Value& x) {
  return x.shape.size() + static_cast<std::size_t>(c.lead) >= 2;
}

void import_matmul(NodeContext& c) {
  if (c.is_constant(1) && !c.is_constant(0) && c.input(1).shape.size() == 2 && makes_rows(c, c.input(0))) {
    return c.yield(emit_linear(c, c.floats(0), transposed(c.constant(1, "B"), {1, 0}), nullptr));
  }
  Value a = c.floats(0);
  Value b = c.floats(1);
  c.expect(!a.shape.empty() && !b.shape.empty(), "multiplies single numbers, expected matrices");
  // A vector is a row on the left, a column on the right, and what it adds is taken away again.
  const bool row = a.shape.size() == 1;
  const bool column = b.shape.size() == 1;
  if (row) a = c.emit_reshape(a, {1, a.shape[0]}, "row");
  if (column) b = c.emit_reshape(b, {b.shape[0], 1}, "column");
  const std::size_t rank = std::max(a.shape.size(), b.shape.size());
  for (Value* value : {&a, &b}) {
    if (c.lead == 0 || value->shape.size() == rank || c.layers.find(value->layer)->constant) continue;
    ir::Shape shape = value->shape;
    shape.insert(shape.begin(), rank - shape.size(), 1);
    *value = c.emit_reshape(*value, shape, "aligned");
  }
  Value product = c.emit("matmul", {a, b}, {}, {}, row || column ? "product" : "");
  ir::Shape shape = product.shape;
  if (column) shape.pop_back();
  if (row) shape.erase(shape.end() - (column ? 1 : 2));
  c.yield(c.emit_reshape(product, shape));
}

// C of a Gemm as a bias [features]: the same for all rows.
bool is_bias(const Constant& added, std::int64_t features) {
  const auto more = std::count_if(added.shape.begin(), added.shape.end(), [](std::int64_t size) { return size != 1; });
  return added.count() == 1 || (more == 1 && added.shape.back() == features && added.count() == features);
}

void import_gemm(NodeContext& c) {
  const double alpha = c.real("alpha", 1);
  const double beta = c.real("beta", 1);
  const bool transpose_a = c.integer("transA", 0) != 0;
  const bool transpose_b = c.integer("transB", 0) != 0;
  Value a = c.floats(0);
  c.expect(a.shape.size() == 2 && c.input(1).shape.size() == 2,
           fmt::format("multiplies {} with {}, expected matrices", ir::to_string(a.shape), ir::to_string(c.input(1).shape)));
  if (transpose_a) a = c.emit("transpose", {a}, {{"permutation", c.lead == 0 ? ir::Shape{1, 0} : ir::Shape{0, 2, 1}}}, {}, "transposed");
  if (c.is_constant(1)) {
    Constant weight = transpose_b ? c.constant(1, "B") : transposed(c.constant(1, "B"), {1, 0});
    if (alpha != 1) weight = folded(weight, [alpha](double w) { return w * alpha; });
    const bool has_bias = c.has(2) && c.is_constant(2) && is_bias(c.constant(2, "C"), weight.shape[0]);
    if (has_bias || !c.has(2)) {
      Constant bias;
      if (has_bias) {
        const Constant& added = c.constant(2, "C");
        bias = rearranged(added, {weight.shape[0]}, [&](std::int64_t i) { return added.count() == 1 ? 0 : i; });
        bias = folded(bias, [beta](double x) { return x * beta; });
      }
      return c.yield(emit_linear(c, a, weight, has_bias ? &bias : nullptr));
    }
    a = emit_linear(c, a, weight, nullptr);
  } else {
    a = c.emit("matmul", {a, c.floats(1)}, {{"transpose_b", transpose_b}}, {}, "product");
    if (alpha != 1) a = emit_binary(c, "mul", a, c.emit_number(alpha, "alpha"), "scaled");
  }
  if (!c.has(2)) return c.yield(a);
  Value added = c.floats(2);
  if (c.lead == 1 && !c.is_constant(2) && added.shape.size() < 2) {
    ir::Shape shape = added.shape;
    shape.insert(shape.begin(), 2 - shape.size(), 1);
    added = c.emit_reshape(added, shape, "aligned");
  }
  if (beta != 1) added = emit_binary(c, "mul", added, c.emit_number(beta, "beta"), "added");
  c.yield(emit_binary(c, "add", a, added));
}

void fold_matmul(NodeContext& c) {
  const Constant& a = c.constant(0, "A");
  const Constant& b = c.constant(1, "B");
  c.expect(a.shape.size() == 2 && b.shape.size() == 2 && a.shape[1] == b.shape[0],
           fmt::format("multiplies the constants {} and {}, expected matrices that fit", ir::to_string(a.shape), ir::to_string(b.shape)));
  c.expect(static_cast<double>(a.shape[0]) * static_cast<double>(a.shape[1]) * static_cast<double>(b.shape[1]) <= 0x1p30,
           "multiplies constants of more than 2^30 products");
  Constant made = zeros(a.type, {a.shape[0], b.shape[1]});
  for (std::int64_t i = 0; i < made.count(); ++i) {
    double sum = 0;
    for (std::int64_t k = 0; k < a.shape[1]; ++k)
      sum += a.number(i / b.shape[1] * a.shape[1] + k) * b.number(k * b.shape[1] + i % b.shape[1]);
    made.set(i, sum);
  }
  c.yield(std::move(made));
}

}  // namespace

void products(OperatorRegistry& registry) {
  registry.add({"MatMul", "`linear` by a constant matrix, else `matmul`", import_matmul, fold_matmul});
  registry.add({"Gemm", "`linear`, or `matmul` and `add`; transA, transB, alpha, beta", import_gemm});
}

}  // namespace stair::frontend::onnx::ops
