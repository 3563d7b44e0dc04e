#include "backends/reference/kernel.h"
#include "backends/reference/matrix.h"

namespace stair::backends::reference {
namespace {

void run_matmul(const ir::Node& node, const Arguments& a) {
  const MatrixProduct product(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    multiply<Real, Real, Real>(product, a.operands[0].as<Real>(), 0, a.operands[1].as<Real>(), 0, a.results[0].as<Real>(), a.threads);
  });
}

}  // namespace

void matmul(FunctionKernels& kernels) {
  kernels.add("matmul", {run_matmul});
}

}  // namespace stair::backends::reference
