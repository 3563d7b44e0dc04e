#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "backends/openblas/accepts.h"
#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"
#include "ir/op.h"

// conv2d, and in inference with what follows it: conv2d -> batch_norm_inference -> add -> a clamp, any of them.

namespace stair::backends::openblas {
namespace {

using ir::NodeId;
using ir::ValueId;

Window window_of(const ir::Graph& graph, const ir::Node& node) {
  return Window::convolution(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape,
                             graph.type(node.results[0]).shape);
}

std::vector<NodeId> group(const ir::Graph& graph, const ir::Uses& uses, NodeId first, const std::function<bool(NodeId)>& free) {
  std::vector<NodeId> nodes{first};
  const auto next = [&](auto&& fits) {
    const ValueId value = graph.node(nodes.back()).results[0];
    const NodeId* reader = only_reader(uses, value, free);
    if (reader != nullptr && fits(graph.node(*reader), value)) nodes.push_back(*reader);
  };
  next([](const ir::Node& node, ValueId value) { return node.op->name == "batch_norm_inference" && node.operands[0] == value; });
  next([&](const ir::Node& node, ValueId value) {
    const auto same = [&](ValueId operand) { return graph.type(operand) == graph.type(value); };
    return node.op->name == "add" && same(node.operands[0]) && same(node.operands[1]);
  });
  next([](const ir::Node& node, ValueId) { return node.op->clamp.has_value(); });
  return nodes;
}

class ConvolutionKernel : public Kernel {
 public:
  ConvolutionKernel(const ir::Graph& graph, std::span<const NodeId> nodes, Constants constants)
      : nodes_(graph, nodes), convolution_(direct::algorithm(window_of(graph, graph.node(nodes.front())))) {
    const ValueId weight = graph.node(nodes.front()).operands[1];
    const void* known = constants.empty() ? nullptr : constants[static_cast<std::size_t>(weight)].data;
    if (known == nullptr) return;
    packed_ = AlignedFloats(convolution_->packed_floats());
    convolution_->pack(static_cast<const float*>(known), packed_.data(), 1);
  }

  void run(const Arguments& a) override {
    auto* memory = reinterpret_cast<float*>(a.scratch);
    const float* packed = packed_.data();
    if (packed_.empty()) {
      convolution_->pack(a.operands[1].as<float>(), memory, a.threads);
      packed = memory;
      memory += own_weights();
    }
    direct::Finish finish;
    if (nodes_.bias) finish.bias = a.operands[2].as<float>();
    if (nodes_.norm > 0) memory += read_norm(a, finish, memory);
    if (nodes_.other > 0) finish.other = a.operands[nodes_.other].as<float>();
    finish.clamps = nodes_.clamps;
    finish.low = nodes_.low;
    finish.high = nodes_.high;
    convolution_->run(a.operands[0].as<float>(), packed, finish, a.results[0].as<float>(), reinterpret_cast<std::byte*>(memory), a.threads);
  }

  std::size_t scratch_bytes(int threads) const override {
    return static_cast<std::size_t>(own_weights() + nodes_.channels) * sizeof(float) + convolution_->scratch_bytes(threads);
  }
  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::string_view description() const override { return convolution_->description(); }
  std::string_view isa() const override { return direct::loops().name; }

 private:
  // Where the operands of the group's nodes lie among the kernel's; 0: no such node. A bias that is left out has no place among them:
  // operand 2 is then the next node's.
  struct Nodes {
    bool bias = false;
    std::size_t norm = 0, other = 0;
    float eps = 0;
    bool clamps = false;
    float low = 0, high = 0;
    std::int64_t channels = 0;

    Nodes(const ir::Graph& graph, std::span<const NodeId> nodes) {
      const ir::Node& convolution = graph.node(nodes.front());
      bias = convolution.operands.size() > 2 && convolution.operands[2] != ir::absent;
      channels = (graph.type(convolution.results[0]).shape[1] + 15) / 16 * 16;
      std::size_t operand = 0;
      ValueId before = ir::absent;
      for (const NodeId id : nodes) {
        const ir::Node& node = graph.node(id);
        if (node.op->name == "batch_norm_inference") {
          norm = operand;
          eps = static_cast<float>(node.attributes.number("eps"));
        } else if (node.op->name == "add") {
          other = operand + (node.operands[0] == before ? 1 : 0);
        } else if (node.op->clamp) {
          clamps = true;
          const ir::OpSchema::Clamp clamp = *clamp_by(node);
          low = static_cast<float>(clamp.low.value_or(-HUGE_VAL));
          high = static_cast<float>(clamp.high.value_or(HUGE_VAL));
        }
        operand += node.operands.size();
        before = node.results[0];
      }
    }
  };

  std::int64_t own_weights() const { return packed_.empty() ? line_up(convolution_->packed_floats()) : 0; }

  // As batch_norm_inference computes it.
  std::int64_t read_norm(const Arguments& a, direct::Finish& finish, float* factor) const {
    const auto operand = [&](std::size_t i) { return a.operands[nodes_.norm + i].as<float>(); };
    const std::int64_t channels = a.operands[nodes_.norm + 1].count();
    for (std::int64_t c = 0; c < channels; ++c) factor[c] = operand(1)[c] / std::sqrt(operand(4)[c] + nodes_.eps);
    finish.factor = factor;
    finish.beta = operand(2);
    finish.mean = operand(3);
    return nodes_.channels;
  }

  Nodes nodes_;
  std::unique_ptr<direct::Algorithm> convolution_;
  AlignedFloats packed_;
};

std::unique_ptr<Kernel> prepare_conv2d(const ir::Graph& graph, std::span<const NodeId> nodes, Constants constants) {
  return std::make_unique<ConvolutionKernel>(graph, nodes, constants);
}

}  // namespace

void conv2d(FunctionKernels& kernels) {
  kernels.add("conv2d", {.function = nullptr, .accepts = not_double, .group = group, .prepare = prepare_conv2d});
}

}  // namespace stair::backends::openblas
