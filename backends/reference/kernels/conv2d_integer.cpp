#include "backends/reference/convolution.h"
#include "backends/reference/kernel.h"
#include "backends/reference/layout.h"

namespace stair::backends::reference {
namespace {

// N-ACC
void run_conv2d_integer(const ir::Node& node, const Arguments& a) {
  const Window window = Window::convolution(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    with_channels_first<Q, std::int32_t>(node, window, a, [&](const Q* x, std::int32_t* acc) {
      convolve(window, x, *a.operands[2].as<std::int32_t>(), a.operands[1].as<std::int8_t>(), acc, a.threads);
    });
  });
}

}  // namespace

void conv2d_integer(FunctionKernels& kernels) {
  kernels.add("conv2d_integer", {run_conv2d_integer});
}

}  // namespace stair::backends::reference
