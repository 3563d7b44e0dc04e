#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

constexpr int in_order = 1;  // sums over the channels

void run_prelu(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    ChannelView(a.operands[0].type.shape, 1).for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real slope = of_channel<Real>(a.operands[1], c);
      for (std::int64_t i = first; i < last; ++i) y[i] = x[i] > 0 ? x[i] : x[i] * slope;
    });
  });
}

void run_prelu_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    Real* dslope = a.results[1].as<Real>();
    std::fill(dslope, dslope + a.results[1].count(), Real{0});
    ChannelView(a.operands[1].type.shape, 1).for_each(in_order, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real slope = of_channel<Real>(a.operands[2], c);
      Real& sum = dslope[a.results[1].count() == 1 ? 0 : c];
      for (std::int64_t i = first; i < last; ++i) {
        dx[i] = x[i] > 0 ? dy[i] : dy[i] * slope;
        if (!(x[i] > 0)) sum += dy[i] * x[i];
      }
    });
  });
}

}  // namespace

void prelu(FunctionKernels& kernels) {
  kernels.add("prelu", {run_prelu});
  kernels.add("prelu_grad", {run_prelu_grad});
}

}  // namespace stair::backends::reference
