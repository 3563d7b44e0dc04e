#include "backends/int8/sums.h"

#include <algorithm>
#include <string>

#include "backends/forward.h"
#include "backends/int8/for_ranges.h"
#include "backends/int8/memory.h"
#include "backends/int8/quantizer.h"
#include "backends/int8/variant_kernel.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

bool dequantizes_by_one_scale(const ir::Graph& graph, const ir::Node& node) {
  return node.op->name == "dequantize" && graph.type(node.operands[1]).shape == ir::Shape{1} &&
         graph.type(node.results[0]).dtype == ir::DType::f32;
}

// `count` elements from element `first` on of the tensor whose dequantize has the group's operands from `operand` on: q, scale, zero point.
void dequantize_part(const Kernels& kernels, const Arguments& a, std::size_t operand, std::int64_t first, float* x, std::int64_t count) {
  const ir::TensorView& q = a.operands[operand];
  const Quantization quantization{*a.operands[operand + 1].as<float>(), *a.operands[operand + 2].as<std::int32_t>()};
  kernels.dequantize(quantization, q.type.dtype == ir::DType::s8, q.as<std::uint8_t>() + first, x, count);
}

constexpr std::int64_t part = 2048;  // elements that stay in the first-level cache between the nodes

class SumKernel : public VariantKernel {
 public:
  SumKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, "dequantize + sum"),
        outgoing_(graph, nodes),
        both_(graph.node(nodes[1]).op->name == "dequantize"),
        pieces_(quotient_up(ir::element_count(graph.type(graph.node(nodes[0]).results[0]).shape), piece)) {}

  std::size_t scratch_bytes(int /*threads*/) const override { return static_cast<std::size_t>(pieces_) * sizeof(MinMax); }

  void run(const Arguments& a) override {
    const std::int64_t count = a.results[0].count();
    const float* summand = outgoing_.summand(a);
    float* y = a.results[0].as<float>();
    auto* bounds_seen = reinterpret_cast<MinMax*>(a.scratch);
    for_ranges(pieces_, 1, 1, a.threads, [&](std::int64_t begin, std::int64_t end) {
      float other[part];
      for (std::int64_t p = begin; p < end; ++p) {
        MinMax seen;
        for (std::int64_t first = p * piece; first < std::min(count, (p + 1) * piece); first += part) {
          const std::int64_t some = std::min(part, count - first);
          dequantize_part(kernels_, a, 0, first, y + first, some);
          if (both_) dequantize_part(kernels_, a, 3, first, other, some);
          outgoing_.row(y + first, both_ ? other : summand + first, y + first, some, seen);
        }
        bounds_seen[p] = seen;
      }
    });
    outgoing_.observe(a, joined(std::span(bounds_seen, static_cast<std::size_t>(pieces_))));
  }

 private:
  static constexpr std::int64_t piece = elements_of_piece;

  Outgoing outgoing_;
  bool both_;
  std::int64_t pieces_;
};

// The sum of two dequantized tensors, which is quantized and read by nobody else: twice computed, for its extent and for its integers,
// which takes less time than a float of it in memory.
class QuantizedSumKernel : public VariantKernel {
 public:
  QuantizedSumKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, "dequantize + sum + quantize"),
        quantizer_(kernels, graph, nodes, GroupArguments(graph, nodes)),
        count_(ir::element_count(graph.type(graph.node(nodes[0]).results[0]).shape)) {
    for (const ir::NodeId node : nodes) {
      if (clamp_of(graph.node(node)) != nullptr) clamp_ = clamp_of(graph.node(node));
    }
  }

  std::size_t scratch_bytes(int /*threads*/) const override { return static_cast<std::size_t>(quotient_up(count_, part)) * sizeof(MinMax); }

  void run(const Arguments& a) override {
    auto* bounds_seen = reinterpret_cast<MinMax*>(a.scratch);
    if (quantizer_.observes()) {
      for_parts(a, [&](const float* sum, std::int64_t first, std::int64_t count) {
        MinMax seen;
        seen.see(sum, count);
        bounds_seen[first / part] = seen;
      });
    }
    MinMax seen;
    if (quantizer_.observes()) {
      seen = joined(std::span(bounds_seen, static_cast<std::size_t>(quotient_up(count_, part))));
      if (clamp_ != nullptr) {  // keeps the order
        float ends[] = {seen.low, seen.high};
        clamp_(ends, 0.0F, ends, std::ssize(ends));
        seen = {ends[0], ends[1]};
      }
    }
    const Quantizer::Parameters parameters = quantizer_.parameters(a, seen);
    for_parts(a, [&](float* sum, std::int64_t first, std::int64_t count) {
      if (clamp_ != nullptr) clamp_(sum, 0.0F, sum, count);
      quantizer_.quantize(a, parameters, sum, first, count);
    });
  }

 private:
  // Calls body(sum, first, count).
  template <class Body>
  void for_parts(const Arguments& a, Body&& body) const {
    for_ranges(count_, part, elements_of_piece, a.threads, [&](std::int64_t begin, std::int64_t end) {
      float sum[part];
      float other[part];
      for (std::int64_t first = begin; first < end; first += part) {
        const std::int64_t count = std::min(part, end - first);
        dequantize_part(kernels_, a, 0, first, sum, count);
        dequantize_part(kernels_, a, 3, first, other, count);
        backends::sum_rows(sum, other, sum, count);
        body(sum, first, count);
      }
    });
  }

  Quantizer quantizer_;
  std::int64_t count_;
  Activation clamp_ = nullptr;
};

// Whether the range is that of point_binary's own bounds, clamped as by the relu or relu6 `clamp` (nullptr: not).
bool clamps_as(const ir::Graph& graph, const ir::Node& sum, ir::ValueId range, const ir::Node* clamp) {
  if (range == ir::absent) return clamp == nullptr;
  const ir::Node* node = graph.producer(range);
  if (node == nullptr || node->op->name != "clamp_range" || clamp == nullptr) return false;
  const std::vector<double> bounds = clamp->op->name == "relu" ? std::vector<double>{0.0} : std::vector<double>{0.0, 6.0};
  return node->operands[0] == sum.operands[6] && node->operands[1] == sum.operands[7] && node->attributes.numbers("clamp") == bounds &&
         node->attributes.integer("lo") == sum.attributes.integer("lo") && node->attributes.integer("hi") == sum.attributes.integer("hi");
}

// Two dequantize nodes and the sum of theirs, with what makes integers of it; nothing where somebody reads the float.
std::vector<ir::NodeId> quantized_sum_group(const ir::Graph& graph, const ir::Uses& uses, std::vector<ir::NodeId> nodes,
                                            const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& a = graph.node(nodes[0]);
  const ir::Node& b = graph.node(nodes[1]);
  ir::ValueId y = graph.node(nodes[2]).results[0];
  const ir::Node* clamp = nullptr;
  if (const ir::NodeId* reader = only_reader(uses, y, free); reader != nullptr && clamp_of(graph.node(*reader)) != nullptr) {
    clamp = &graph.node(*reader);
    nodes.push_back(*reader);
    y = clamp->results[0];
  }
  for (const ir::NodeId id : uses.nodes[static_cast<std::size_t>(a.operands[0])]) {
    const ir::Node& sum = graph.node(id);
    if (sum.op->name != "point_binary" || sum.attributes.text("function") != "add" || !free(id)) continue;
    const auto adds = [&](const ir::Node& first, const ir::Node& second) {
      const std::vector<ir::ValueId> operands{first.operands[0], second.operands[0], first.operands[1],
                                              first.operands[2], second.operands[1], second.operands[2]};
      return std::equal(operands.begin(), operands.end(), sum.operands.begin());
    };
    const ir::ValueId range = sum.operands.size() > 8 ? sum.operands[8] : ir::absent;
    if ((!adds(a, b) && !adds(b, a)) || !clamps_as(graph, sum, range, clamp)) continue;
    std::vector<ir::NodeId> group = nodes;
    if (range != ir::absent && graph.value(range).producer > nodes.front()) {  // else it is an operand that is there already
      const ir::NodeId clamp_range = graph.value(range).producer;
      const ir::NodeId readers[] = {id};
      if (!free(clamp_range) || !uses.within(range, readers)) continue;
      group.push_back(clamp_range);
    }
    if (Quantizer::append(graph, uses, y, free, group, id)) return group;
  }
  return {};
}

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
  if (nodes.size() == 3) {
    std::vector<ir::NodeId> quantized = quantized_sum_group(graph, uses, nodes, free);
    if (!quantized.empty()) return quantized;
  }
  if (!readers_follow(graph, uses, nodes)) return {first};
  add_followers(graph, uses, free, nodes);
  return nodes;
}

std::unique_ptr<Kernel> prepare_sum(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  for (const ir::NodeId node : nodes) {
    if (graph.node(node).op->name == "point_binary") return std::make_unique<QuantizedSumKernel>(kernels, graph, nodes);
  }
  return std::make_unique<SumKernel>(kernels, graph, nodes);
}

}  // namespace stair::backends::int8
