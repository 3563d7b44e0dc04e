#include "backends/openblas/accepts.h"
#include "backends/openblas/convolution.h"

namespace stair::backends::openblas {
namespace {

void run(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  convolve(g, a.operands[0].as<float>(), a.operands[1].as<float>(), a.has(2) ? a.operands[2].as<float>() : nullptr,
           a.results[0].as<float>(), plan_convolve(g), a.scratch, a.threads);
}

std::size_t scratch(const ir::Graph& graph, const ir::Node& node) {
  return plan_convolve(Window::convolution(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape,
                                           graph.type(node.results[0]).shape))
      .bytes();
}

}  // namespace

void conv2d(FunctionKernels& kernels) {
  kernels.add("conv2d", {run, "im2col, sgemm", not_double, scratch});
}

}  // namespace stair::backends::openblas
