#pragma once

// The unary functions of the graph, once: kernels run them on floats, `tabulate` on every integer (N-POINT). Libraries compute exp, tanh
// and erf differently, which is why a deployment graph holds their tables and never calls them.

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "ir/error.h"

namespace stair::ir {

template <class Real>
Real relu6_of(Real x) {
  const Real raised = x > 0 ? x : Real{0};
  return raised < 6 ? raised : Real{6};
}

template <class Real>
Real sigmoid_of(Real x) {
  return Real{1} / (Real{1} + std::exp(-x));
}

/// log(1 + exp(x)), without an exp that overflows.
template <class Real>
Real softplus_of(Real x) {
  return std::max(x, Real{0}) + std::log1p(std::exp(-std::abs(x)));
}

/// A function of one variable and up to two parameters (0 where it has fewer): the op's attributes, in their order.
struct ScalarFunction {
  std::string_view name;
  float (*f32)(float x, float a, float b);
  double (*f64)(double x, double a, double b);

  float operator()(float x, float a, float b) const { return f32(x, a, b); }
  double operator()(double x, double a, double b) const { return f64(x, a, b); }
};

namespace scalar {

template <class Real>
Real identity(Real x, Real, Real) {
  return x;
}
template <class Real>
Real relu(Real x, Real, Real) {
  return x > 0 ? x : Real{0};
}
template <class Real>
Real relu6(Real x, Real, Real) {
  return relu6_of(x);
}
template <class Real>
Real clip(Real x, Real low, Real high) {
  return std::min(std::max(x, low), high);
}
template <class Real>
Real leaky_relu(Real x, Real slope, Real) {
  return x > 0 ? x : x * slope;
}
template <class Real>
Real elu(Real x, Real alpha, Real) {
  return x > 0 ? x : alpha * std::expm1(x);
}
template <class Real>
Real sigmoid(Real x, Real, Real) {
  return sigmoid_of(x);
}
template <class Real>
Real tanh(Real x, Real, Real) {
  return std::tanh(x);
}
template <class Real>
Real hard_sigmoid(Real x, Real, Real) {
  return relu6_of(x + Real{3}) / Real{6};
}
template <class Real>
Real hard_swish(Real x, Real, Real) {
  return x * relu6_of(x + Real{3}) / Real{6};
}
template <class Real>
Real silu(Real x, Real, Real) {
  return x / (Real{1} + std::exp(-x));
}
/// x * Phi(x), Phi the normal distribution function (Hendrycks, Gimpel 2016, equation 1).
template <class Real>
Real gelu(Real x, Real, Real) {
  return Real{0.5} * x * (Real{1} + std::erf(x * static_cast<Real>(0.70710678118654752440)));
}
template <class Real>
Real softplus(Real x, Real, Real) {
  return softplus_of(x);
}
template <class Real>
Real mish(Real x, Real, Real) {
  return x * std::tanh(softplus_of(x));
}
template <class Real>
Real negate(Real x, Real, Real) {
  return -x;
}
template <class Real>
Real abs(Real x, Real, Real) {
  return std::abs(x);
}
template <class Real>
Real square(Real x, Real, Real) {
  return x * x;
}
template <class Real>
Real sqrt(Real x, Real, Real) {
  return std::sqrt(x);
}
template <class Real>
Real exp(Real x, Real, Real) {
  return std::exp(x);
}
template <class Real>
Real log(Real x, Real, Real) {
  return std::log(x);
}

}  // namespace scalar

inline const std::vector<ScalarFunction>& scalar_functions() {
  static const std::vector<ScalarFunction> all{{"identity", scalar::identity<float>, scalar::identity<double>},
                                               {"relu", scalar::relu<float>, scalar::relu<double>},
                                               {"relu6", scalar::relu6<float>, scalar::relu6<double>},
                                               {"clip", scalar::clip<float>, scalar::clip<double>},
                                               {"hard_tanh", scalar::clip<float>, scalar::clip<double>},
                                               {"leaky_relu", scalar::leaky_relu<float>, scalar::leaky_relu<double>},
                                               {"elu", scalar::elu<float>, scalar::elu<double>},
                                               {"sigmoid", scalar::sigmoid<float>, scalar::sigmoid<double>},
                                               {"tanh", scalar::tanh<float>, scalar::tanh<double>},
                                               {"hard_sigmoid", scalar::hard_sigmoid<float>, scalar::hard_sigmoid<double>},
                                               {"hard_swish", scalar::hard_swish<float>, scalar::hard_swish<double>},
                                               {"silu", scalar::silu<float>, scalar::silu<double>},
                                               {"gelu", scalar::gelu<float>, scalar::gelu<double>},
                                               {"softplus", scalar::softplus<float>, scalar::softplus<double>},
                                               {"mish", scalar::mish<float>, scalar::mish<double>},
                                               {"negate", scalar::negate<float>, scalar::negate<double>},
                                               {"abs", scalar::abs<float>, scalar::abs<double>},
                                               {"square", scalar::square<float>, scalar::square<double>},
                                               {"sqrt", scalar::sqrt<float>, scalar::sqrt<double>},
                                               {"exp", scalar::exp<float>, scalar::exp<double>},
                                               {"log", scalar::log<float>, scalar::log<double>}};
  return all;
}

/// The function of that name; throws Error with the nearest one.
inline const ScalarFunction& scalar_function(std::string_view name) {
  std::vector<std::string> names;
  for (const ScalarFunction& function : scalar_functions()) {
    if (function.name == name) return function;
    names.emplace_back(function.name);
  }
  throw Error("unknown function '" + std::string(name) + "'" + did_you_mean(name, names) + ", expected " + one_of(names));
}

}  // namespace stair::ir
