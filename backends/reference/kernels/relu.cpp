#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_relu(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] = x[i] > 0 ? x[i] : Real{0};
  });
}

void run_relu_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* y = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) dx[i] = y[i] > 0 ? dy[i] : Real{0};
  });
}

}  // namespace

void relu(FunctionKernels& kernels) {
  kernels.add("relu", {run_relu});
  kernels.add("relu_grad", {run_relu_grad});
}

}  // namespace stair::backends::reference
