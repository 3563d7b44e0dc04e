#include <algorithm>
#include <string>

#include "backends/int8/for_ranges.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/variant_kernel.h"
#include "backends/range.h"

namespace stair::backends::int8 {
namespace {

std::int64_t row_length(const ir::Graph& graph, const ir::Node& node) {
  return graph.type(node.results[0]).shape.back();
}

// N-SOFTMAX
class SoftmaxKernel : public VariantKernel {
 public:
  SoftmaxKernel(const Kernels& kernels, const ir::Graph& graph, const ir::Node& node)
      : VariantKernel(kernels, "softmax"), range_(range_of(node)), length_(row_length(graph, node)) {}

  void run(const Arguments& a) override {
    const auto integer = [&](std::size_t operand) { return *a.operands[operand].as<const std::int32_t>(); };
    const bool is_signed = a.operands[0].type.dtype == ir::DType::s8;
    const SoftmaxRows all{a.operands[1].as<const std::int32_t>(), integer(2), 56 - integer(3), integer(4), range_.lo, range_.hi, is_signed,
                          a.operands[0].count() / length_,        length_};
    for_ranges(all.rows, 1, elements_of_piece / (4 * length_), a.threads, [&](std::int64_t first, std::int64_t last) {
      SoftmaxRows rows = all;
      rows.rows = last - first;
      kernels_.softmax(rows, a.operands[0].as<const std::uint8_t>() + first * length_, a.results[0].as<std::uint8_t>() + first * length_);
    });
  }

 private:
  ir::Range range_;
  std::int64_t length_;
};

Answer accepts_softmax(const ir::Graph& graph, const ir::Node& node) {
  const auto rank = static_cast<std::int64_t>(graph.type(node.results[0]).shape.size());
  const std::int64_t axis = node.attributes.integer("axis");
  return axis == -1 || axis == rank - 1 ? Answer::can() : Answer::cannot("axis " + std::to_string(axis) + " isn't the last");
}

std::unique_ptr<Kernel> prepare_softmax(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<SoftmaxKernel>(kernels, graph, graph.node(nodes[0]));
}

}  // namespace

void softmax_integer(NodeKernels& kernels) {
  kernels.add("softmax_integer", {accepts_softmax, prepare_softmax});
}

}  // namespace stair::backends::int8
