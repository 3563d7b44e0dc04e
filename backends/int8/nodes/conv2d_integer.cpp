#include "backends/int8/contraction_kernel.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/normalization.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

Answer accepts_conv2d_integer(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::vector<ir::NodeId> group_conv2d_integer(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                             const std::function<bool(ir::NodeId)>& free) {
  if (channels_last(graph.node(first).attributes)) return fuse(graph, uses, first, free);
  std::vector<ir::NodeId> nodes = fuse_rescale(graph, uses, first, 1, free);
  if (graph.node(nodes.back()).op->name == "dequantize_accumulator") {
    Normalization::append(graph, uses, graph.node(nodes.back()).results[0], free, nodes);
  }
  return nodes;
}

std::unique_ptr<Kernel> prepare_conv2d_integer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                               Constants constants) {
  const ir::Node& node = graph.node(nodes.front());
  const Window window = Window::convolution(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape,
                                            graph.type(node.results[0]).shape);
  return prepare_contraction(kernels, graph, nodes, constants, window, "convolution");
}

}  // namespace

void conv2d_integer(NodeKernels& kernels) {
  kernels.add("conv2d_integer", {accepts_conv2d_integer, prepare_conv2d_integer, group_conv2d_integer});
}

}  // namespace stair::backends::int8
