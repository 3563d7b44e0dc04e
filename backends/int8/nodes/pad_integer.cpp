#include <cstring>

#include "backends/int8/node_kernels.h"
#include "backends/int8/strided_copy.h"

namespace stair::backends::int8 {
namespace {

// N-MOVE
class PadKernel : public Kernel {
 public:
  PadKernel(const ir::Shape& x, const ir::Shape& y, const std::vector<std::int64_t>& padding)
      : copy_(x, x, ir::Shape(x.size(), 0), y, ir::Shape(padding.begin(), padding.begin() + static_cast<std::ptrdiff_t>(x.size())), 1) {}
  std::string_view description() const override { return "copies"; }
  void run(const Arguments& a) override {
    std::memset(a.results[0].data, *a.operands[1].as<const std::int32_t>(), ir::byte_count(a.results[0].type));
    copy_.copy(a.operands[0].as<const std::byte>(), a.results[0].as<std::byte>(), a.threads);
  }

 private:
  StridedCopy copy_;
};

Answer accepts_pad_integer(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_pad_integer(const Kernels&, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  const ir::Node& node = graph.node(nodes.front());
  return std::make_unique<PadKernel>(graph.type(node.operands[0]).shape, graph.type(node.results[0]).shape,
                                     node.attributes.integers("padding"));
}

}  // namespace

void pad_integer(NodeKernels& kernels) {
  kernels.add("pad_integer", {accepts_pad_integer, prepare_pad_integer});
}

}  // namespace stair::backends::int8
