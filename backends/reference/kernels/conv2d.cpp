#include <vector>

#include "backends/reference/convolution.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_conv2d(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    Real* y = a.results[0].as<Real>();
    convolve(g, a.operands[0].as<Real>(), Real{0}, a.operands[1].as<Real>(), y, a.threads);
    if (!a.has(2)) return;
    const std::int64_t plane = g.out_height * g.out_width;
    for (std::int64_t i = 0; i < g.images * g.out_channels; ++i) {
      const Real bias = a.operands[2].as<Real>()[i % g.out_channels];
      for (std::int64_t p = 0; p < plane; ++p) y[i * plane + p] += bias;
    }
  });
}

// Calls body(input element, weight element, output element) for each product of image n's convolution whose input isn't padding.
template <class Body>
void for_each_product(const Window& g, std::int64_t n, Body&& body) {
  for (std::int64_t o = 0; o < g.out_channels; ++o) {
    const std::int64_t first_channel = o / g.group_out() * g.group_in();
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      const std::int64_t image = (n * g.in_channels + first_channel + c) * g.in_height * g.in_width;
      for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
        for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
          const std::int64_t weight = ((o * g.group_in() + c) * g.kernel_height + kh) * g.kernel_width + kw;
          for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
            if (!g.row_inside(g.in_row(oh, kh))) continue;
            const std::int64_t row = image + g.in_row(oh, kh) * g.in_width;
            const std::int64_t out = ((n * g.out_channels + o) * g.out_height + oh) * g.out_width;
            for (std::int64_t ow = g.first_column(kw); ow < g.last_column(kw); ++ow) body(row + g.in_column(ow, kw), weight, out + ow);
          }
        }
      }
    }
  }
}

void run_grad_input(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.results[0].type.shape, a.operands[1].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* w = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    parallel_for(g.images, a.threads, [&](std::int64_t n, int) {
      for_each_product(g, n, [&](std::int64_t x, std::int64_t weight, std::int64_t y) { dx[x] += dy[y] * w[weight]; });
    });
  });
}

void run_grad_weight(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.operands[1].type.shape, a.results[0].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dw = a.results[0].as<Real>();
    std::fill(dw, dw + a.results[0].count(), Real{0});
    for (std::int64_t n = 0; n < g.images; ++n) {
      for_each_product(g, n, [&](std::int64_t in, std::int64_t weight, std::int64_t y) { dw[weight] += dy[y] * x[in]; });
    }
  });
}

}  // namespace

void conv2d(FunctionKernels& kernels) {
  kernels.add("conv2d", {run_conv2d});
  kernels.add("conv2d_grad_input", {run_grad_input});
  kernels.add("conv2d_grad_weight", {run_grad_weight});
}

}  // namespace stair::backends::reference
