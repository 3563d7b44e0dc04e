#include "backends/int8/node_kernels.h"
#include "backends/int8/strided_copy.h"

namespace stair::backends::int8 {
namespace {

// N-MOVE
class ConcatKernel : public Kernel {
 public:
  ConcatKernel(const ir::Graph& graph, const ir::Node& node) {
    const ir::Type& y = graph.type(node.results[0]);
    const std::int64_t axis = node.attributes.integer("axis");
    const auto at = static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(y.shape.size()) : axis);
    const ir::Shape begin(y.shape.size(), 0);
    ir::Shape origin = begin;
    for (const ir::ValueId operand : node.operands) {
      const ir::Shape& x = graph.type(operand).shape;
      copies_.emplace_back(x, x, begin, y.shape, origin, ir::size_of(y.dtype));
      origin[at] += x[at];
    }
  }
  std::string_view description() const override { return "copies"; }
  void run(const Arguments& a) override {
    for (std::size_t i = 0; i < copies_.size(); ++i) {
      copies_[i].copy(a.operands[i].as<const std::byte>(), a.results[0].as<std::byte>(), a.threads);
    }
  }

 private:
  std::vector<StridedCopy> copies_;  // by operand
};

Answer accepts_concat(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_concat(const Kernels&, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<ConcatKernel>(graph, graph.node(nodes.front()));
}

}  // namespace

void concat(NodeKernels& kernels) {
  kernels.add("concat", {accepts_concat, prepare_concat});
}

}  // namespace stair::backends::int8
