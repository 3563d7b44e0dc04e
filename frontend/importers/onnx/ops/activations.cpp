#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "frontend/importers/onnx/broadcasting.h"

namespace stair::frontend::onnx::ops {
namespace {

using Function = double (*)(double);

void add_unary(OperatorRegistry& registry, const char* name, const char* layer, Function function = nullptr) {
  Operator op{name, fmt::format("`{}`", layer), [layer](NodeContext& c) { c.yield(c.emit(layer, {c.floats(0)})); }};
  if (function != nullptr) op.fold = [function](NodeContext& c) { c.yield(folded(c.constant(0, "X"), function)); };
  registry.add(std::move(op));
}

// Times a number plus another.
Value emit_affine(NodeContext& c, Value x, double factor, double shift) {
  if (factor != 1) x = emit_binary(c, "mul", x, c.emit_number(factor, "factor"), "scaled");
  return shift == 0 ? x : emit_binary(c, "add", x, c.emit_number(shift, "shift"), "shifted");
}

void import_hard_sigmoid(NodeContext& c) {
  const double alpha = c.real("alpha", 0.2);
  const double beta = c.real("beta", 0.5);
  const Value x = c.floats(0);
  if (std::abs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5) return c.yield(c.emit("hard_sigmoid", {x}));
  c.yield(c.emit("clip", {emit_affine(c, x, alpha, beta)}, {{"low", 0.0}, {"high", 1.0}}));
}

void import_prelu(NodeContext& c) {
  const Value x = c.floats(0);
  const Constant& slope = c.constant(1, "slope");
  const bool shared = slope.count() == 1;
  const std::size_t rank = x.shape.size();
  // A slope a channel: [C,1,1], or [C] of x [N,C].
  bool per_channel = c.lead == 0 && rank >= 2 && slope.count() == x.shape[1];
  const bool lists_channels = c.opset < 7 && slope.shape.size() == 1;
  for (std::size_t d = 0; d < slope.shape.size() && !lists_channels; ++d) {
    const std::size_t of_x = d + rank - slope.shape.size();
    per_channel = per_channel && slope.shape.size() <= rank && (slope.shape[d] == 1 || of_x == 1);
  }
  if (!shared && !per_channel) {  // max(x, 0) + slope min(x, 0)
    const Value zero = c.emit_number(0, "zero");
    const Value negative = emit_binary(c, "mul", c.emit("minimum", {x, zero}, {}, {}, "negative"), broadcast_inputs(c)[1], "sloped");
    return c.yield(emit_binary(c, "add", c.emit("relu", {x}, {}, {}, "positive"), negative));
  }
  Parameters parameters;
  parameters["slope"] = to_tensor(slope, {slope.count()});
  c.yield(c.emit("prelu", {x}, {{"shared", shared && !(c.lead == 0 && rank >= 2 && x.shape[1] == 1)}}, std::move(parameters)));
}

// Bounds are attributes before opset 11, and inputs from it on.
void import_clip(NodeContext& c) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto bound = [&](const char* name, std::size_t i, double fallback) {
    if (c.opset < 11) return c.real(name, fallback);
    if (!c.has(i)) return fallback;
    const Constant& given = c.constant(i, name);
    c.expect(given.count() == 1, fmt::format("its {} is {}, expected one number", name, ir::to_string(given.shape)));
    return given.number(0);
  };
  constexpr double most = 3.4e38;  // where exporters say that there is no bound
  const double low = bound("min", 1, -infinity);
  const double high = bound("max", 2, infinity);
  const Value x = c.floats(0);
  const bool from = low > -most;
  const bool to = high < most;
  if (from && to && low == 0 && high == 6) return c.yield(c.emit("relu6", {x}));
  if (from && to) return c.yield(c.emit("clip", {x}, {{"low", low}, {"high", high}}));
  if (from && low == 0) return c.yield(c.emit("relu", {x}));
  if (from) return c.yield(c.emit("maximum", {x, c.emit_number(low, "low")}));
  if (to) return c.yield(c.emit("minimum", {x, c.emit_number(high, "high")}));
  c.yield(x);
}

void import_selu(NodeContext& c) {
  const double alpha = c.real("alpha", 1.67326319217681884765625);
  const double gamma = c.real("gamma", 1.05070102214813232421875);
  const Value curve = c.emit("elu", {c.floats(0)}, {{"alpha", alpha}}, {}, "elu");
  c.yield(emit_binary(c, "mul", curve, c.emit_number(gamma, "gamma")));
}

void import_celu(NodeContext& c) {
  const double alpha = c.real("alpha", 1.0);
  c.expect(alpha != 0, "its alpha is 0");
  const Value curve = c.emit("elu", {emit_affine(c, c.floats(0), 1 / alpha, 0)}, {{"alpha", 1.0}}, {}, "elu");
  c.yield(emit_binary(c, "mul", curve, c.emit_number(alpha, "alpha")));
}

void import_softsign(NodeContext& c) {
  const Value x = c.floats(0);
  c.yield(emit_binary(c, "div", x, emit_affine(c, c.emit("abs", {x}, {}, {}, "abs"), 1, 1)));
}

// 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), or the exact one.
void import_gelu(NodeContext& c) {
  const std::string kind = c.text("approximate", "none");
  const Value x = c.floats(0);
  if (kind == "none") return c.yield(c.emit("gelu", {x}));
  c.expect(kind == "tanh", fmt::format("its attribute 'approximate' is '{}', expected 'none' or 'tanh'", kind));
  const Value cube = emit_binary(c, "mul", c.emit("square", {x}, {}, {}, "square"), x, "cube");
  const Value inner = emit_binary(c, "add", emit_affine(c, cube, 0.044715, 0), x, "inner");
  const Value curve = c.emit("tanh", {emit_affine(c, inner, std::sqrt(2 / std::acos(-1.0)), 0)}, {}, {}, "tanh");
  c.yield(emit_binary(c, "mul", emit_affine(c, curve, 0.5, 0.5), x));
}

void import_reciprocal(NodeContext& c) {
  c.yield(emit_binary(c, "div", c.emit_number(1, "one"), c.floats(0)));
}

}  // namespace

void activations(OperatorRegistry& registry) {
  add_unary(registry, "Relu", "relu", [](double x) { return x > 0 ? x : 0; });
  add_unary(registry, "Sigmoid", "sigmoid");
  add_unary(registry, "Tanh", "tanh");
  add_unary(registry, "Softplus", "softplus");
  add_unary(registry, "Mish", "mish");
  add_unary(registry, "HardSwish", "hard_swish");
  add_unary(registry, "Abs", "abs", [](double x) { return std::abs(x); });
  add_unary(registry, "Neg", "negate", [](double x) { return -x; });
  add_unary(registry, "Exp", "exp", [](double x) { return std::exp(x); });
  add_unary(registry, "Log", "log", [](double x) { return std::log(x); });
  add_unary(registry, "Sqrt", "sqrt", [](double x) { return std::sqrt(x); });
  registry.add({"Erf", "only within the formula of `gelu`", [](NodeContext& c) { c.yield(c.emit("erf", {c.floats(0)})); },
                [](NodeContext& c) { c.yield(folded(c.constant(0, "X"), [](double x) { return std::erf(x); })); }});
  registry.add({"Reciprocal", "`div`", import_reciprocal,
                [](NodeContext& c) { c.yield(folded(c.constant(0, "X"), [](double x) { return 1 / x; })); }});
  registry.add({"Elu", "`elu`", [](NodeContext& c) { c.yield(c.emit("elu", {c.floats(0)}, {{"alpha", c.real("alpha", 1.0)}})); }});
  registry.add({"LeakyRelu", "`leaky_relu`", [](NodeContext& c) {
                  c.yield(c.emit("leaky_relu", {c.floats(0)}, {{"slope", c.real("alpha", 0.01)}}));
                }});
  registry.add({"PRelu", "`prelu`; other slopes than one a channel by `minimum`, `mul`, `relu` and `add`", import_prelu});
  registry.add({"Clip", "`clip`, `relu`, `relu6`, `minimum` or `maximum`; bounds are constants", import_clip});
  registry.add({"HardSigmoid", "`hard_sigmoid`, or `clip` of a multiple", import_hard_sigmoid});
  registry.add({"Selu", "`elu`, `mul`", import_selu});
  registry.add({"Celu", "`elu`, `mul`", import_celu});
  registry.add({"Softsign", "`abs`, `add`, `div`", import_softsign});
  registry.add({"Gelu", "`gelu`; its approximation by `tanh` and others", import_gelu});
}

}  // namespace stair::frontend::onnx::ops
