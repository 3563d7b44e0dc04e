#include "backends/int8/sums.h"

#include <algorithm>
#include <string>

#include "backends/forward.h"
#include "backends/int8/memory.h"
#include "backends/int8/pieces.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

bool dequantizes_by_one_scale(const ir::Graph& graph, const ir::Node& node) {
  return node.op->name == "dequantize" && graph.type(node.operands[1]).shape == ir::Shape{1} &&
         graph.type(node.results[0]).dtype == ir::DType::f32;
}

class SumKernel : public Kernel {
 public:
  SumKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : kernels_(kernels),
        description_(std::string(name_of(kernels.isa)) + " dequantize + sum"),
        outgoing_(graph, nodes),
        both_(graph.node(nodes[1]).op->name == "dequantize"),
        pieces_(quotient_up(ir::element_count(graph.type(graph.node(nodes[0]).results[0]).shape), piece)) {}

  std::string_view description() const override { return description_; }
  std::size_t scratch_bytes() const override { return static_cast<std::size_t>(pieces_) * sizeof(Extent); }

  void run(const Arguments& a) override {
    const std::int64_t count = a.results[0].count();
    const float* summand = outgoing_.summand(a);
    float* y = a.results[0].as<float>();
    auto* extents = reinterpret_cast<Extent*>(a.scratch);
    for_pieces(pieces_, 1, 1, a.threads, [&](std::int64_t begin, std::int64_t end) {
      float other[part];
      for (std::int64_t p = begin; p < end; ++p) {
        Extent seen;
        for (std::int64_t first = p * piece; first < std::min(count, (p + 1) * piece); first += part) {
          const std::int64_t some = std::min(part, count - first);
          dequantize(a, 0, first, y + first, some);
          if (both_) dequantize(a, 3, first, other, some);
          outgoing_.row(y + first, both_ ? other : summand + first, y + first, some, seen);
        }
        extents[p] = seen;
      }
    });
    outgoing_.observe(a, joined(std::span(extents, static_cast<std::size_t>(pieces_))));
  }

 private:
  static constexpr std::int64_t piece = elements_of_piece;
  static constexpr std::int64_t part = 2048;  // elements that stay in the first-level cache between the nodes

  // The group's operands q, scale, zero_point from `operand` on.
  void dequantize(const Arguments& a, std::size_t operand, std::int64_t first, float* x, std::int64_t count) const {
    const ir::TensorView& q = a.operands[operand];
    const Quantization quantization{*a.operands[operand + 1].as<float>(), *a.operands[operand + 2].as<std::int32_t>()};
    kernels_.dequantize(quantization, q.type.dtype == ir::DType::s8, q.as<std::uint8_t>() + first, x, count);
  }

  const Kernels& kernels_;
  std::string description_;
  Outgoing outgoing_;
  bool both_;
  std::int64_t pieces_;
};

}  // namespace

std::vector<ir::NodeId> sum_group(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                  const std::function<bool(ir::NodeId)>& free) {
  std::vector<ir::NodeId> nodes{first};
  if (!dequantizes_by_one_scale(graph, graph.node(first))) return nodes;
  const ir::NodeId* sum = sum_behind(graph, uses, nodes, free);
  if (sum == nullptr) return nodes;
  for (const ir::ValueId summand : graph.node(*sum).operands) {
    const ir::NodeId producer = graph.value(summand).producer;
    if (producer == ir::absent || producer == first || !free(producer)) continue;
    if (dequantizes_by_one_scale(graph, graph.node(producer)) && only_reader(uses, summand, free) != nullptr) nodes.push_back(producer);
  }
  nodes.push_back(*sum);
  if (!readers_follow(graph, uses, nodes)) return {first};
  add_followers(graph, uses, free, nodes);
  return nodes;
}

std::unique_ptr<Kernel> prepare_sum(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  return std::make_unique<SumKernel>(kernels, graph, nodes);
}

}  // namespace stair::backends::int8
