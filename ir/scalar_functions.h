#pragma once

// The unary functions of the graph, once: kernels run them on floats, `tabulate` on every integer (N-POINT). Libraries compute exp, tanh
// and erf differently, which is why a deployment graph holds their tables and never calls them.

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

/// A function of one variable and a parameter (0 where it has none).
struct ScalarFunction {
  std::string_view name;
  float (*f32)(float x, float parameter);
  double (*f64)(double x, double parameter);

  float operator()(float x, float parameter) const { return f32(x, parameter); }
  double operator()(double x, double parameter) const { return f64(x, parameter); }
};

namespace scalar {

template <class Real>
Real identity(Real x, Real) {
  return x;
}
template <class Real>
Real relu(Real x, Real) {
  return x > 0 ? x : Real{0};
}
template <class Real>
Real relu6(Real x, Real) {
  return relu6_of(x);
}
template <class Real>
Real leaky_relu(Real x, Real slope) {
  return x > 0 ? x : x * slope;
}
template <class Real>
Real sigmoid(Real x, Real) {
  return sigmoid_of(x);
}
template <class Real>
Real tanh(Real x, Real) {
  return std::tanh(x);
}
template <class Real>
Real hard_sigmoid(Real x, Real) {
  return relu6_of(x + Real{3}) / Real{6};
}
template <class Real>
Real hard_swish(Real x, Real) {
  return x * relu6_of(x + Real{3}) / Real{6};
}
/// x * Phi(x), Phi the normal distribution function (Hendrycks, Gimpel 2016, equation 1).
template <class Real>
Real gelu(Real x, Real) {
  return Real{0.5} * x * (Real{1} + std::erf(x * static_cast<Real>(0.70710678118654752440)));
}

}  // namespace scalar

inline const std::vector<ScalarFunction>& scalar_functions() {
  static const std::vector<ScalarFunction> all{{"identity", scalar::identity<float>, scalar::identity<double>},
                                               {"relu", scalar::relu<float>, scalar::relu<double>},
                                               {"relu6", scalar::relu6<float>, scalar::relu6<double>},
                                               {"leaky_relu", scalar::leaky_relu<float>, scalar::leaky_relu<double>},
                                               {"sigmoid", scalar::sigmoid<float>, scalar::sigmoid<double>},
                                               {"tanh", scalar::tanh<float>, scalar::tanh<double>},
                                               {"hard_sigmoid", scalar::hard_sigmoid<float>, scalar::hard_sigmoid<double>},
                                               {"hard_swish", scalar::hard_swish<float>, scalar::hard_swish<double>},
                                               {"gelu", scalar::gelu<float>, scalar::gelu<double>}};
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
