#include "backends/int8/node_kernels.h"
#include "backends/int8/strided_copy.h"

namespace stair::backends::int8 {
namespace {

ir::Shape origin_of(const ir::Node& node, std::size_t rank) {
  const std::vector<std::int64_t>& axes = node.attributes.integers("axes");
  ir::Shape origin(rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::int64_t axis = axes[i] < 0 ? axes[i] + static_cast<std::int64_t>(rank) : axes[i];
    origin[static_cast<std::size_t>(axis)] += node.attributes.integers("starts")[i];
  }
  return origin;
}

// N-MOVE
class SliceKernel : public Kernel {
 public:
  SliceKernel(const ir::Type& x, const ir::Shape& y, const ir::Shape& origin)
      : copy_(y, x.shape, origin, y, ir::Shape(y.size(), 0), ir::size_of(x.dtype)) {}
  std::string_view description() const override { return "copies"; }
  void run(const Arguments& a) override { copy_.copy(a.operands[0].as<const std::byte>(), a.results[0].as<std::byte>(), a.threads); }

 private:
  StridedCopy copy_;
};

Answer accepts_slice(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_slice(const Kernels&, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  const ir::Node& node = graph.node(nodes.front());
  const ir::Type& x = graph.type(node.operands[0]);
  return std::make_unique<SliceKernel>(x, graph.type(node.results[0]).shape, origin_of(node, x.shape.size()));
}

}  // namespace

void slice(NodeKernels& kernels) {
  kernels.add("slice", {accepts_slice, prepare_slice});
}

}  // namespace stair::backends::int8
