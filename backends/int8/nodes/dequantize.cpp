#include <string>

#include "backends/int8/channel_runs.h"
#include "backends/int8/gradients.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/sums.h"
#include "backends/int8/variant_kernel.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// N-DEQUANT
class DequantizeKernel : public VariantKernel {
 public:
  DequantizeKernel(const Kernels& kernels, const ChannelRuns& runs) : VariantKernel(kernels, "dequantize"), runs_(runs) {}

  void run(const Arguments& a) override {
    const auto* q = a.operands[0].as<const std::uint8_t>();
    const auto* scale = a.operands[1].as<const float>();
    const std::int32_t zero_point = *a.operands[2].as<const std::int32_t>();
    const bool is_signed = a.operands[0].type.dtype == ir::DType::s8;
    auto* x = a.results[0].as<float>();
    runs_.for_each(a.threads, [&](std::int64_t channel, std::int64_t first, std::int64_t last) {
      kernels_.dequantize({scale[channel], zero_point}, is_signed, q + first, x + first, last - first);
    });
  }

 private:
  ChannelRuns runs_;
};

bool is_gradient(const ir::Node& node) {
  return node.op->name == "matmul" || node.op->name.starts_with("conv2d_grad");
}

Answer accepts_dequantize(const ir::Graph& graph, const ir::Node& node) {
  if (graph.type(node.results[0]).dtype != ir::DType::f32) return Answer::cannot("f64: the reference computes in double");
  const ChannelRuns runs = ChannelRuns::by_scale(graph, node);
  if (runs.channels > 1 && runs.length == 1) return Answer::cannot("neighbours have scales of their own");
  return Answer::can();
}

std::vector<ir::NodeId> group_dequantize(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                         const std::function<bool(ir::NodeId)>& free) {
  std::vector<ir::NodeId> nodes = gradient_group(kernels, graph, uses, first, free);
  return nodes.size() > 1 ? nodes : sum_group(graph, uses, first, free);
}

std::unique_ptr<Kernel> prepare_dequantize(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  if (nodes.size() > 1 && is_gradient(graph.node(nodes.back()))) return prepare_gradient(kernels, graph, nodes);
  if (nodes.size() > 1) return prepare_sum(kernels, graph, nodes);
  return std::make_unique<DequantizeKernel>(kernels, ChannelRuns::by_scale(graph, graph.node(nodes.front())));
}

}  // namespace

void dequantize(NodeKernels& kernels) {
  kernels.add("dequantize", {accepts_dequantize, prepare_dequantize, group_dequantize});
}

}  // namespace stair::backends::int8
