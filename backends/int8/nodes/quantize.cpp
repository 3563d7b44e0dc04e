#include <string>

#include "backends/int8/channel_runs.h"
#include "backends/int8/fusion.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/variant_kernel.h"
#include "backends/masks.h"
#include "backends/range.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

class QuantizeKernel : public VariantKernel {
 public:
  QuantizeKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, "quantize"),
        shape_(graph.type(graph.node(nodes[0]).operands[0]).shape),
        runs_(ChannelRuns::by_scale(graph, graph.node(nodes[0]))) {
    const ir::Node& node = graph.node(nodes[0]);
    const ir::Range range = range_of(node);
    quantization_.lo = range.lo;
    quantization_.hi = range.hi;
    if (nodes.size() == 1) return;
    const std::string& behind = graph.node(nodes[1]).op->name;
    describe_more(behind);
    to_triples_ = behind == "transpose";
    if (behind == "range_mask") mask_ = &graph.node(nodes[1]);
  }

  void run(const Arguments& a) override {
    const auto* x = a.operands[0].as<const float>();
    const auto* scale = a.operands[1].as<const float>();
    auto* q = a.results[0].as<std::uint8_t>();
    Quantization quantization = quantization_;
    quantization.zero_point = *a.operands[2].as<const std::int32_t>();
    quantization.scale = *scale;
    if (to_triples_) return run_triples(quantization, x, q, a.threads);
    if (mask_ != nullptr) return run_marking(quantization, x, q, a);
    runs_.for_each(a.threads, [&](std::int64_t channel, std::int64_t first, std::int64_t last) {
      Quantization own = quantization;
      own.scale = scale[channel];
      kernels_.quantize(own, x + first, q + first, last - first);
    });
  }

 private:
  // With a bit for each element that the straight-through estimator lets through.
  void run_marking(const Quantization& quantization, const float* x, std::uint8_t* q, const Arguments& a) const {
    const Interval interval = marked_by(*mask_, quantization.scale, quantization.zero_point);
    auto* mask = a.results[1].as<std::uint8_t>();
    for_elements(runs_.length, a.threads, [&](std::int64_t first, std::int64_t last) {
      kernels_.quantize_marking(quantization, interval.low, interval.high, x + first, q + first, mask + first / 8, last - first);
    });
  }

  // [N,3,H,W] to [N,H,W,3]
  void run_triples(const Quantization& quantization, const float* x, std::uint8_t* q, int threads) const {
    const std::int64_t plane = shape_[2] * shape_[3];
    for_elements(shape_[0] * plane, threads, [&](std::int64_t first, std::int64_t last) {
      while (first < last) {
        const std::int64_t image = first / plane;
        const std::int64_t end = std::min(last, (image + 1) * plane);
        kernels_.quantize_triples(quantization, x + 2 * image * plane + first, plane, q + 3 * first, end - first);
        first = end;
      }
    });
  }

  ir::Shape shape_;
  ChannelRuns runs_;
  bool to_triples_ = false;
  const ir::Node* mask_ = nullptr;
  Quantization quantization_;
};

Answer accepts_quantize(const ir::Graph& graph, const ir::Node& node) {
  if (graph.type(node.operands[0]).dtype != ir::DType::f32) return Answer::cannot("f64: the reference computes in double");
  const ChannelRuns runs = ChannelRuns::by_scale(graph, node);
  if (runs.channels > 1 && runs.length == 1) return Answer::cannot("neighbours have scales of their own");
  return Answer::can();
}

// The mask of the straight-through estimator of the same elements with one scale.
const ir::NodeId* mask_of(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId quantize, const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& node = graph.node(quantize);
  if (graph.type(node.operands[1]).shape != ir::Shape{1}) return nullptr;
  for (const ir::NodeId& reader : uses.nodes[static_cast<std::size_t>(node.operands[0])]) {
    const ir::Node& mask = graph.node(reader);
    const ir::NodeId both[] = {quantize, reader};
    if (mask.op->name == "range_mask" && mask.operands == node.operands && free(reader) && readers_follow(graph, uses, both))
      return &reader;
  }
  return nullptr;
}

// A quantizer with its mask, with what leaves its elements in their order, or with the transpose of images of three channels to [N,H,W,C].
std::vector<ir::NodeId> group_quantize(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& node = graph.node(first);
  if (const ir::NodeId* mask = mask_of(graph, uses, first, free)) return {first, *mask};
  const ir::NodeId* next = only_reader(uses, node.results[0], free);
  if (next == nullptr) return {first};
  const ir::Node& behind = graph.node(*next);
  const ir::Shape& x = graph.type(node.operands[0]).shape;
  const bool in_order = behind.op->name == "reshape" || behind.op->name == "flatten";
  const bool to_triples = behind.op->name == "transpose" && graph.type(node.operands[1]).shape == ir::Shape{1} && x.size() == 4 &&
                          x[1] == 3 && behind.attributes.integers("permutation") == std::vector<std::int64_t>{0, 2, 3, 1};
  if (!in_order && !to_triples) return {first};
  return {first, *next};
}

std::unique_ptr<Kernel> prepare_quantize(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<QuantizeKernel>(kernels, graph, nodes);
}

}  // namespace

void quantize(NodeKernels& kernels) {
  kernels.add("quantize", {accepts_quantize, prepare_quantize, group_quantize});
}

}  // namespace stair::backends::int8
