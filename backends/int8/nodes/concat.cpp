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
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const ir::Shape& x = graph.type(node.operands[i]).shape;
      const std::int64_t times = at == 0 ? 1 : y.shape[0] / x[0];
      for (std::int64_t n = 0; n < times; ++n) {
        if (at > 0) origin[0] = n;
        copies_.push_back({i, {x, x, begin, y.shape, origin, ir::size_of(y.dtype)}});
      }
      if (at > 0) origin[0] = 0;
      origin[at] += x[at];
    }
  }
  std::string_view description() const override { return "copies"; }
  void run(const Arguments& a) override {
    for (const auto& [operand, copy] : copies_)
      copy.copy(a.operands[operand].as<const std::byte>(), a.results[0].as<std::byte>(), a.threads);
  }

 private:
  std::vector<std::pair<std::size_t, StridedCopy>> copies_;  // of which operand
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
