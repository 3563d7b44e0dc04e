#include "backends/int8/contraction_kernel.h"
#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {
namespace {

Answer accepts_linear_integer(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

// A 1x1 convolution over a column of pixels: the rows of x.
std::unique_ptr<Kernel> prepare_linear_integer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                               Constants constants) {
  const ir::Node& node = graph.node(nodes.front());
  const ir::Shape& weights = graph.type(node.operands[1]).shape;
  const std::int64_t rows = ir::element_count(graph.type(node.results[0]).shape) / weights[0];
  return prepare_contraction(kernels, graph, nodes, constants, Window{1, weights[1], rows, 1, weights[0], rows, 1, 1, 1}, "linear");
}

std::vector<ir::NodeId> group_linear_integer(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                             const std::function<bool(ir::NodeId)>& free) {
  return fuse(graph, uses, first, free);
}

}  // namespace

void linear_integer(NodeKernels& kernels) {
  kernels.add("linear_integer", {accepts_linear_integer, prepare_linear_integer, group_linear_integer});
}

}  // namespace stair::backends::int8
