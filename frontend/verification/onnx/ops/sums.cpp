#include <algorithm>
#include <utility>

#include "frontend/verification/onnx/summing.h"

// Sums of products: of integers, and of floats that are integers times a scale. What stands between DequantizeLinear and QuantizeLinear is
// computed as QLinearConv is, as runtimes do it.

namespace stair::verification::onnx::ops {
namespace {

bool has_short_integers(const Value& value) {
  return value.is_dequantized() &&
         std::all_of(value.integers.begin(), value.integers.end(), [](std::int64_t q) { return is_within(q, 32'767); });
}

// The weights as [O,K], of what is no attention.
Value product_weights(const NodeRun& run, const Value& w) {
  return w.constant && w.shape.size() == 2 ? transposed(run, w) : Value{};
}

std::vector<std::int64_t> bias_at(const NodeRun& run, std::size_t i) {
  if (!run.has(i)) return {};
  run.expect(run.in(i).type == ElementType::i32, "its bias isn't of int32");
  return run.list(i);
}

ElementType type_of_zero(const NodeRun& run, std::size_t i) {
  return run.has(i) ? run.in(i).type : ElementType::u8;
}

bool run_qlinear_conv(NodeRun& run) {
  const Value x = centred(run, run.in(0), {one_zero(run, 2)}, 0);
  const Value w = centred(run, run.in(3), zeros_at(run, 5), 0);
  const Value sum = recorded(run, convolved(run, x, w), w, bias_at(run, 8), 1);
  const Value steps = in_steps(run, sum, run.real(1), scales_at(run, 4), 1);
  run.yield(requantized(run, steps, {run.real(6)}, {one_zero(run, 7)}, 1, type_of_zero(run, 7)));
  return true;
}

bool run_conv_integer(NodeRun& run) {
  const Value x = centred(run, run.in(0), {one_zero(run, 2)}, 0);
  const Value w = centred(run, run.in(1), zeros_at(run, 3), 0);
  run.yield(recorded(run, convolved(run, x, w), w, {}, 1));
  return true;
}

bool run_matmul_integer(NodeRun& run) {
  const Value a = centred(run, run.in(0), {one_zero(run, 2)}, 0);
  const std::size_t last = run.in(1).shape.empty() ? 0 : run.in(1).shape.size() - 1;
  const Value b = centred(run, run.in(1), zeros_at(run, 3), last);
  const Value product = multiplied(run, a, b);
  run.yield(recorded(run, product, product_weights(run, b), {}, product.shape.size() - 1));
  return true;
}

bool run_qlinear_matmul(NodeRun& run) {
  const Value a = centred(run, run.in(0), {one_zero(run, 2)}, 0);
  const std::size_t last = run.in(3).shape.empty() ? 0 : run.in(3).shape.size() - 1;
  const Value b = centred(run, run.in(3), zeros_at(run, 5), last);
  const Value product = multiplied(run, a, b);
  const std::size_t axis = product.shape.size() - 1;
  const Value sum = recorded(run, product, product_weights(run, b), {}, axis);
  const Value steps = in_steps(run, sum, run.real(1), scales_at(run, 4), axis);
  run.yield(requantized(run, steps, {run.real(6)}, {one_zero(run, 7)}, axis, type_of_zero(run, 7)));
  return true;
}

// com.microsoft: of matrices, with a bias in steps of the sum; floats where there is no scale of the result.
bool run_qgemm(NodeRun& run) {
  run.expect(run.real("alpha", 1) == 1 && run.integer("transA", 0) == 0, "it has an alpha or transA");
  const Value a = centred(run, run.in(0), {one_zero(run, 2)}, 0);
  const bool turned = run.integer("transB", 0) != 0;
  Value b = centred(run, run.in(3), zeros_at(run, 5), turned ? 0 : 1);
  if (turned) b = transposed(run, b);
  const Value sum = recorded(run, multiplied(run, a, b), product_weights(run, b), bias_at(run, 6), 1);
  const Value steps = in_steps(run, sum, run.real(1), scales_at(run, 4), 1);
  run.yield(run.has(7) ? requantized(run, steps, {run.real(7)}, {one_zero(run, 8)}, 1, type_of_zero(run, 8)) : steps);
  return true;
}

// The bias of a layer of dequantized operands, where it is in its steps: those of x_scale · w_scale.
std::optional<std::vector<std::int64_t>> bias_in_steps(const NodeRun& run, const Value& x, const Value& w) {
  if (!run.has(2)) return std::vector<std::int64_t>();
  const Value& bias = run.in(2);
  if (!bias.is_dequantized() || bias.shape.size() != 1) return std::nullopt;
  for (std::int64_t c = 0; c < bias.count(); ++c) {
    const float scale = w.scale[w.scale.size() == 1 ? 0 : static_cast<std::size_t>(c) % w.scale.size()];
    if (bias.scale_of(c) != x.scale.front() * scale) return std::nullopt;
  }
  return bias.integers;
}

bool run_conv(NodeRun& run) {
  const Value& x = run.in(0);
  const Value& w = run.in(1);
  if (!has_short_integers(x) || !has_short_integers(w) || x.scale.size() > 1 || (w.scale.size() > 1 && w.axis != 0)) return false;
  const auto bias = bias_in_steps(run, x, w);
  if (!bias) return false;
  run.yield(in_steps(run, recorded(run, convolved(run, x, w), w, *bias, 1), x.scale.front(), w.scale, 1));
  return true;
}

bool run_gemm(NodeRun& run) {
  const Value& x = run.in(0);
  Value w = run.in(1);
  const bool turned = run.integer("transB", 0) != 0;
  const bool plain = run.integer("transA", 0) == 0 && run.real("alpha", 1) == 1 && run.real("beta", 1) == 1;
  if (!plain || !has_short_integers(x) || !has_short_integers(w) || x.scale.size() > 1) return false;
  if (w.scale.size() > 1 && w.axis != (turned ? 0 : 1)) return false;
  const auto bias = bias_in_steps(run, x, w);
  if (!bias) return false;
  if (turned) w = transposed(run, w);
  run.yield(in_steps(run, recorded(run, multiplied(run, x, w), product_weights(run, w), *bias, 1), x.scale.front(), w.scale, 1));
  return true;
}

bool run_matmul(NodeRun& run) {
  const Value& a = run.in(0);
  const Value& b = run.in(1);
  if (!a.is_real() && !b.is_real()) {
    const Value product = multiplied(run, centred(run, a, {0}, 0), centred(run, b, {0}, 0));
    Value wide = product;
    for (std::int64_t& q : wide.integers) q = wrapped(a.type, q);
    wide.type = a.type;
    run.yield(std::move(wide));
    return true;
  }
  if (!has_short_integers(a) || !has_short_integers(b) || a.scale.size() > 1 || a.shape.size() < 2 || b.shape.size() < 2) return false;
  if (b.scale.size() > 1 && (b.axis + 1 != b.shape.size() || b.shape.size() != 2)) return false;
  const Value product = multiplied(run, a, b);
  const std::size_t axis = product.shape.size() - 1;
  run.yield(in_steps(run, recorded(run, product, product_weights(run, b), {}, axis), a.scale.front(), b.scale, axis));
  return true;
}

}  // namespace

void sums(OperatorRegistry& registry) {
  registry.add({"QLinearConv", run_qlinear_conv});
  registry.add({"ConvInteger", run_conv_integer});
  registry.add({"MatMulInteger", run_matmul_integer});
  registry.add({"QLinearMatMul", run_qlinear_matmul});
  registry.add({"QGemm", run_qgemm, "com.microsoft"});
  registry.add({"Conv", run_conv});
  registry.add({"Gemm", run_gemm});
  registry.add({"MatMul", run_matmul});
}

}  // namespace stair::verification::onnx::ops
