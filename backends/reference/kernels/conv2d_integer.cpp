#include "backends/reference/convolution.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// N-ACC
void run(const ir::Node& node, const Arguments& a) {
  const Window window = Window::convolution(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    convolve(window, a.operands[0].as<Q>(), *a.operands[2].as<std::int32_t>(), a.operands[1].as<std::int8_t>(),
             a.results[0].as<std::int32_t>(), a.threads);
  });
}

}  // namespace

void conv2d_integer(FunctionKernels& kernels) {
  kernels.add("conv2d_integer", {run});
}

}  // namespace stair::backends::reference
