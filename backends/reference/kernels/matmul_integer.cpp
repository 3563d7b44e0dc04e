#include "backends/reference/kernel.h"
#include "backends/reference/matrix.h"

namespace stair::backends::reference {
namespace {

// N-ACC
void run_matmul_integer(const ir::Node& node, const Arguments& a) {
  const MatrixProduct product(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  for_quantized(a.operands[0].type.dtype, [&]<class A>() {
    for_quantized(a.operands[1].type.dtype, [&]<class B>() {
      multiply<A, B, std::int32_t>(product, a.operands[0].as<A>(), *a.operands[2].as<std::int32_t>(), a.operands[1].as<B>(),
                                   *a.operands[3].as<std::int32_t>(), a.results[0].as<std::int32_t>(), a.threads);
    });
  });
}

}  // namespace

void matmul_integer(FunctionKernels& kernels) {
  kernels.add("matmul_integer", {run_matmul_integer});
}

}  // namespace stair::backends::reference
