#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_linear(const ir::Node&, const Arguments& a) {
  const std::int64_t k = a.operands[1].dim(1);
  const std::int64_t outputs = a.operands[1].dim(0);
  const std::int64_t rows = a.operands[0].count() / k;
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const Real* w = a.operands[1].as<Real>();
    Real* y = a.results[0].as<Real>();
    parallel_for(rows, a.threads, [&](std::int64_t row, int) {
      for (std::int64_t o = 0; o < outputs; ++o) {
        Real sum = 0;
        for (std::int64_t i = 0; i < k; ++i) sum += x[row * k + i] * w[o * k + i];
        y[row * outputs + o] = a.has(2) ? sum + a.operands[2].as<Real>()[o] : sum;
      }
    });
  });
}

}  // namespace

void linear(FunctionKernels& kernels) {
  kernels.add("linear", {run_linear});
}

}  // namespace stair::backends::reference
