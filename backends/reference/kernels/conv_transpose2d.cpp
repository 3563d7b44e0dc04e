#include <algorithm>

#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// Calls body(element of x, weight, element of y) for each product of image n's transposed convolution that lies inside of y.
template <class Body>
void for_each_transposed(const ir::Attributes& attributes, const ir::Shape& x, const ir::Shape& w, const ir::Shape& y, std::int64_t n,
                         Body&& body) {
  const ir::Shape& stride = attributes.integers("stride");
  const ir::Shape& padding = attributes.integers("padding");
  const ir::Shape& dilation = attributes.integers("dilation");
  const std::int64_t outputs_a_group = w[0] / attributes.integer("groups");
  for (std::int64_t o = 0; o < w[0]; ++o) {
    for (std::int64_t i = 0; i < w[1]; ++i) {
      const std::int64_t channel = o / outputs_a_group * w[1] + i;
      for (std::int64_t kh = 0; kh < w[2]; ++kh) {
        for (std::int64_t kw = 0; kw < w[3]; ++kw) {
          const std::int64_t weight = ((o * w[1] + i) * w[2] + kh) * w[3] + kw;
          for (std::int64_t h = 0; h < x[2]; ++h) {
            const std::int64_t row = h * stride[0] - padding[0] + kh * dilation[0];
            if (row < 0 || row >= y[2]) continue;
            for (std::int64_t v = 0; v < x[3]; ++v) {
              const std::int64_t column = v * stride[1] - padding[1] + kw * dilation[1];
              if (column < 0 || column >= y[3]) continue;
              body(((n * x[1] + channel) * x[2] + h) * x[3] + v, weight, ((n * y[1] + o) * y[2] + row) * y[3] + column);
            }
          }
        }
      }
    }
  }
}

// y = bias + sum of (x - offset) * w
template <class X, class W, class Y>
void convolve_transposed(const ir::Node& node, const Arguments& a, Y offset, const Y* bias) {
  const ir::Shape& x_shape = a.operands[0].type.shape;
  const ir::Shape& w_shape = a.operands[1].type.shape;
  const ir::Shape& y_shape = a.results[0].type.shape;
  const X* x = a.operands[0].as<X>();
  const W* w = a.operands[1].as<W>();
  Y* y = a.results[0].as<Y>();
  std::fill(y, y + a.results[0].count(), Y{0});
  parallel_for(x_shape[0], a.threads, [&](std::int64_t n, int) {
    for_each_transposed(node.attributes, x_shape, w_shape, y_shape, n, [&](std::int64_t from, std::int64_t weight, std::int64_t to) {
      y[to] += (static_cast<Y>(x[from]) - offset) * static_cast<Y>(w[weight]);
    });
  });
  if (bias == nullptr) return;
  const std::int64_t plane = y_shape[2] * y_shape[3];
  for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] += bias[i / plane % y_shape[1]];
}

void run_conv_transpose2d(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype,
           [&]<class Real>() { convolve_transposed<Real, Real, Real>(node, a, Real{0}, a.has(2) ? a.operands[2].as<Real>() : nullptr); });
}

// N-ACC
void run_conv_transpose2d_integer(const ir::Node& node, const Arguments& a) {
  for_quantized(a.operands[0].type.dtype,
                [&]<class Q>() { convolve_transposed<Q, std::int8_t, std::int32_t>(node, a, *a.operands[2].as<std::int32_t>(), nullptr); });
}

void run_transposed_grad_input(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* w = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    parallel_for(a.results[0].dim(0), a.threads, [&](std::int64_t n, int) {
      for_each_transposed(node.attributes, a.results[0].type.shape, a.operands[1].type.shape, a.operands[0].type.shape, n,
                          [&](std::int64_t to, std::int64_t weight, std::int64_t from) { dx[to] += dy[from] * w[weight]; });
    });
  });
}

void run_transposed_grad_weight(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dw = a.results[0].as<Real>();
    std::fill(dw, dw + a.results[0].count(), Real{0});
    for (std::int64_t n = 0; n < a.operands[1].dim(0); ++n) {
      for_each_transposed(node.attributes, a.operands[1].type.shape, a.results[0].type.shape, a.operands[0].type.shape, n,
                          [&](std::int64_t in, std::int64_t weight, std::int64_t out) { dw[weight] += dy[out] * x[in]; });
    }
  });
}

}  // namespace

void conv_transpose2d(FunctionKernels& kernels) {
  kernels.add("conv_transpose2d", {run_conv_transpose2d});
  kernels.add("conv_transpose2d_grad_input", {run_transposed_grad_input});
  kernels.add("conv_transpose2d_grad_weight", {run_transposed_grad_weight});
  kernels.add("conv_transpose2d_integer", {run_conv_transpose2d_integer});
}

}  // namespace stair::backends::reference
