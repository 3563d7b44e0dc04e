#include <cmath>
#include <numbers>

#include "backends/reference/kernel.h"
#include "ir/op.h"
#include "ir/scalar_functions.h"

namespace stair::backends::reference {
namespace {

// The derivative of each function of ir/scalar_functions.h by x, with its parameters.
template <class Real>
Real derivative(std::string_view function, Real x, Real a, Real b) {
  if (function == "relu") return x > 0 ? Real{1} : Real{0};
  if (function == "relu6") return x > 0 && x < 6 ? Real{1} : Real{0};
  if (function == "clip" || function == "hard_tanh") return x > a && x < b ? Real{1} : Real{0};
  if (function == "leaky_relu") return x > 0 ? Real{1} : a;
  if (function == "elu") return x > 0 ? Real{1} : a * std::exp(x);
  if (function == "abs") return x > 0 ? Real{1} : (x < 0 ? Real{-1} : Real{0});
  if (function == "square") return Real{2} * x;
  if (function == "sqrt") return Real{0.5} / std::sqrt(x);
  if (function == "exp") return std::exp(x);
  if (function == "log") return Real{1} / x;
  if (function == "softplus") return ir::sigmoid_of(x);
  if (function == "silu") {
    const Real s = ir::sigmoid_of(x);
    return s * (Real{1} + x * (Real{1} - s));
  }
  if (function == "mish") {
    const Real t = std::tanh(ir::softplus_of(x));
    return t + x * ir::sigmoid_of(x) * (Real{1} - t * t);
  }
  if (function == "hard_sigmoid") return x > -3 && x < 3 ? Real{1} / Real{6} : Real{0};
  if (function == "hard_swish") return x <= -3 ? Real{0} : (x >= 3 ? Real{1} : (Real{2} * x + Real{3}) / Real{6});
  if (function == "sigmoid") {
    const Real s = ir::sigmoid_of(x);
    return s * (Real{1} - s);
  }
  if (function == "tanh") {
    const Real t = std::tanh(x);
    return Real{1} - t * t;
  }
  if (function == "gelu") {
    const Real distribution = Real{0.5} * (Real{1} + std::erf(x / std::numbers::sqrt2_v<Real>));
    const Real density = std::exp(-x * x / Real{2}) * std::numbers::inv_sqrtpi_v<Real> / std::numbers::sqrt2_v<Real>;
    return distribution + x * density;
  }
  throw InternalError("no derivative of '" + std::string(function) + "'");
}

// Attribute i, 0 where there are fewer.
template <class Real>
Real parameter(const ir::Node& node, std::size_t i) {
  const std::vector<ir::AttributeSpec>& attributes = node.op->attributes;
  return i < attributes.size() ? static_cast<Real>(node.attributes.number(attributes[i].name)) : Real{0};
}

void run_activations(const ir::Node& node, const Arguments& a) {
  const ir::ScalarFunction& function = ir::scalar_function(node.op->name);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const Real first = parameter<Real>(node, 0);
    const Real second = parameter<Real>(node, 1);
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) a.results[0].as<Real>()[i] = function(x[i], first, second);
  });
}

void run_activations_gradient(const ir::Node& node, const Arguments& a) {
  const std::string_view function(node.op->name.data(), node.op->name.size() - std::string_view("_grad").size());
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    const Real first = parameter<Real>(node, 0);
    const Real second = parameter<Real>(node, 1);
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) a.results[0].as<Real>()[i] = dy[i] * derivative(function, x[i], first, second);
  });
}

}  // namespace

void activations(FunctionKernels& kernels) {
  for (const ir::ScalarFunction& function : ir::scalar_functions()) {
    const std::string name(function.name);
    if (ir::op_registry().find(name) != nullptr) kernels.add(name, {run_activations});
    if (ir::op_registry().find(name + "_grad") != nullptr) kernels.add(name + "_grad", {run_activations_gradient});
  }
}

}  // namespace stair::backends::reference
