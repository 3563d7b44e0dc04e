#include "backends/openblas/forward.h"

#include <algorithm>

#include "backends/openblas/parallel.h"
#include "ir/op.h"

namespace stair::backends::openblas {
namespace {

using ir::NodeId;

// A group without batch normalization.
class ForwardKernel : public Kernel {
 public:
  ForwardKernel(const ir::Graph& graph, std::span<const NodeId> nodes)
      : outgoing_(graph, nodes), pieces_(piece_count(ir::element_count(graph.type(graph.node(nodes[0]).results[0]).shape))) {}

  std::size_t scratch_bytes(int /*threads*/) const override { return static_cast<std::size_t>(pieces_) * sizeof(MinMax); }

  void run(const Arguments& a) override {
    const float* x = a.operands[0].as<float>();
    const float* summand = outgoing_.summand(a);
    float* y = a.results[0].as<float>();
    auto* bounds_seen = reinterpret_cast<MinMax*>(a.scratch);
    for_pieces(a.results[0].count(), a.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
      MinMax seen;
      for (std::int64_t i = first; i < last; i += part) {
        outgoing_.row(x + i, summand == nullptr ? nullptr : summand + i, y + i, std::min(part, last - i), seen);
      }
      bounds_seen[piece] = seen;
    });
    outgoing_.observe(a, joined(std::span(bounds_seen, static_cast<std::size_t>(pieces_))));
  }
  std::string_view description() const override { return "vector loops"; }

 private:
  static constexpr std::int64_t part = 2048;  // elements that stay in the first-level cache between the nodes

  Outgoing outgoing_;
  std::int64_t pieces_;
};

}  // namespace

std::vector<NodeId> forward_group(const ir::Graph& graph, const ir::Uses& uses, NodeId first, const std::function<bool(NodeId)>& free) {
  std::vector<NodeId> nodes{first};
  const ir::Node& node = graph.node(first);
  if (node.op->name == "add" && graph.type(node.operands[0]) != graph.type(node.operands[1])) return nodes;
  if (node.op->name == "batch_norm") {
    if (const NodeId* sum = sum_behind(graph, uses, nodes, free)) nodes.push_back(*sum);
    if (!readers_follow(graph, uses, nodes)) nodes.pop_back();
  }
  add_followers(graph, uses, free, nodes);
  return nodes;
}

std::unique_ptr<Kernel> prepare_forward_group(const ir::Graph& graph, std::span<const NodeId> nodes, Constants) {
  if (graph.node(nodes.front()).op->name == "batch_norm") return batch_normalization(graph, nodes);
  return std::make_unique<ForwardKernel>(graph, nodes);
}

}  // namespace stair::backends::openblas
