#include "backends/int8/contraction_kernel.h"
#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {
namespace {

Answer accepts_linear_integer(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::vector<ir::NodeId> group_linear_integer(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                             const std::function<bool(ir::NodeId)>& free) {
  return fuse(graph, uses, first, free);
}

}  // namespace

void linear_integer(NodeKernels& kernels) {
  kernels.add("linear_integer", {accepts_linear_integer, prepare_linear, group_linear_integer});
}

}  // namespace stair::backends::int8
