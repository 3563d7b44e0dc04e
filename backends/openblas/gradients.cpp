#include "backends/openblas/gradients.h"

#include "backends/forward.h"
#include "backends/masks.h"
#include "backends/multiversion.h"
#include "backends/openblas/parallel.h"
#include "ir/op.h"

namespace stair::backends::openblas {
namespace {

using ir::NodeId;
using ir::ValueId;

ActivationGradient clamp_gradient(const ir::Node& node) {
  if (node.op->name == "relu_grad") return relu_back;
  return node.op->name == "relu6_grad" ? relu6_back : nullptr;
}

// A group without batch normalization.
class ElementwiseKernel : public Kernel {
 public:
  ElementwiseKernel(const ir::Graph& graph, std::span<const NodeId> nodes) : incoming_(graph, nodes) {}
  void run(const Arguments& a) override {
    float* dx = a.results[0].as<float>();
    for_pieces(a.results[0].count(), a.threads,
               [&](std::int64_t, std::int64_t first, std::int64_t last) { incoming_.row(a, first, last - first, dx + first); });
  }
  std::string_view description() const override { return "vector loops"; }

 private:
  Incoming incoming_;
};

}  // namespace

bool filters_gradients(const ir::Node& node) {
  return node.op->name == "apply_mask" || clamp_gradient(node) != nullptr;
}

STAIR_MULTIVERSION void relu_back(const float* dy, const float* x, float, float* dx, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) dx[i] = dy[i] * (x[i] > 0 ? 1.0F : 0.0F);
}
STAIR_MULTIVERSION void relu6_back(const float* dy, const float* x, float, float* dx, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float below = x[i] < 6 ? 1.0F : 0.0F;
    dx[i] = dy[i] * (x[i] > 0 ? below : 0.0F);
  }
}

std::vector<NodeId> gradient_group(const ir::Graph& graph, const ir::Uses& uses, NodeId first, const std::function<bool(NodeId)>& free) {
  std::vector<NodeId> nodes{first};
  // The only reader of the last node's result, if that is the gradient that it reads.
  const auto next = [&](auto&& fits) {
    const ValueId value = graph.node(nodes.back()).results[0];
    const NodeId* reader = only_reader(uses, value, free);
    if (reader != nullptr && graph.node(*reader).operands[0] == value && fits(graph.node(*reader))) nodes.push_back(*reader);
  };
  const ir::Node& node = graph.node(first);
  if (node.op->name == "add") {
    if (graph.type(node.operands[0]) != graph.type(node.operands[1])) return nodes;
    next(filters_gradients);
    if (nodes.size() == 1) return nodes;
  }
  next([](const ir::Node& reader) { return reader.op->name == "batch_norm_grad"; });
  return nodes;
}

std::unique_ptr<Kernel> prepare_gradient_group(const ir::Graph& graph, std::span<const NodeId> nodes, Constants) {
  if (graph.node(nodes.back()).op->name == "batch_norm_grad") return batch_norm_gradient(graph, nodes);
  return std::make_unique<ElementwiseKernel>(graph, nodes);
}

Incoming::Incoming(const ir::Graph& graph, std::span<const NodeId> nodes) {
  for (const NodeId id : nodes) {
    const ir::Node& node = graph.node(id);
    if (node.op->name == "add") {
      adds_ = true;
    } else if (filters_gradients(node)) {
      clamp_ = clamp_gradient(node);
      (clamp_ != nullptr ? clamped_ : mask_) = operands_ + 1;
    } else {
      break;
    }
    operands_ += node.operands.size();
  }
}

Incoming::Row Incoming::masked_row(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const {
  if (!mask_ || first % 8 != 0) return {row(a, first, count, buffer), nullptr};
  return {sum(a, first, count, buffer), a.operands[*mask_].as<std::uint8_t>() + first / 8};
}

const float* Incoming::row(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const {
  const float* gradient = sum(a, first, count, buffer);
  if (mask_) {
    keep_marked(gradient, a.operands[*mask_].as<std::uint8_t>(), first, buffer, count);
    gradient = buffer;
  }
  if (clamped_) {
    clamp_(gradient, a.operands[*clamped_].as<float>() + first, 0.0F, buffer, count);
    gradient = buffer;
  }
  return gradient;
}

const float* Incoming::sum(const Arguments& a, std::int64_t first, std::int64_t count, float* buffer) const {
  const float* gradient = a.operands[0].as<float>() + first;
  if (!adds_) return gradient;
  sum_rows(gradient, a.operands[1].as<float>() + first, buffer, count);
  return buffer;
}

}  // namespace stair::backends::openblas
