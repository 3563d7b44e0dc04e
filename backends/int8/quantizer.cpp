#include "backends/int8/quantizer.h"

#include <algorithm>

#include "backends/range.h"
#include "ir/numerics.h"
#include "ir/op.h"

namespace stair::backends::int8 {

namespace {

// Where a node that yields integers has the scale among its operands; the zero point follows.
std::size_t scale_at(const ir::Node& quantizes) {
  return quantizes.op->name == "point_binary" ? 6 : 1;
}

}  // namespace

bool Quantizer::append(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId x, const std::function<bool(ir::NodeId)>& free,
                       std::vector<ir::NodeId>& nodes, std::optional<ir::NodeId> sum) {
  std::optional<ir::NodeId> observer, quantize, mask;
  for (const ir::NodeId id : uses.nodes[static_cast<std::size_t>(x)]) {
    const ir::Node& reader = graph.node(id);
    if (!free(id) || reader.operands[0] != x) return false;
    std::optional<ir::NodeId>& place = observer_of(reader) != nullptr ? observer : reader.op->name == "quantize" ? quantize : mask;
    if (place || (&place == &mask && reader.op->name != "range_mask")) return false;
    place = id;
  }
  if (quantize.has_value() == sum.has_value() || uses.leaves[static_cast<std::size_t>(x)]) return false;
  if (sum) quantize = sum;
  const ir::Node& quantizes = graph.node(*quantize);
  const ir::ValueId scale = quantizes.operands[scale_at(quantizes)];
  const ir::ValueId zero_point = quantizes.operands[scale_at(quantizes) + 1];
  if (graph.type(scale).shape != ir::Shape{1} || graph.type(x).dtype != ir::DType::f32) return false;
  if (mask && (graph.node(*mask).operands[1] != scale || graph.node(*mask).operands[2] != zero_point)) return false;

  std::vector<ir::NodeId> group = nodes;
  if (observer) group.push_back(*observer);
  const ir::NodeId producer = graph.value(scale).producer;
  if (producer != ir::absent && producer > group.front()) {
    const ir::Node& affine = graph.node(producer);
    if (affine.op->name != "affine_parameters" || !free(producer) || zero_point != affine.results[1]) return false;
    if (!observer || !std::equal(affine.operands.begin(), affine.operands.end(), graph.node(*observer).results.begin())) return false;
    group.push_back(producer);
  }
  group.push_back(*quantize);
  if (mask) group.push_back(*mask);
  std::sort(group.begin(), group.end());
  if (!readers_follow(graph, uses, group)) return false;
  nodes = group;
  return true;
}

Quantizer::Quantizer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, const GroupArguments& values)
    : kernels_(kernels) {
  for (const ir::NodeId id : nodes) {
    const ir::Node& node = graph.node(id);
    const Part part{&node, values.operands_of(id)};
    if (observer_of(node) != nullptr) {
      observer_ = part;
      low_ = values.result(node.results[0]);
      high_ = values.result(node.results[1]);
      if (node.results.size() > 2) count_ = values.result(node.results[2]);
    } else if (node.op->name == "affine_parameters") {
      affine_ = part;
      scale_ = values.result(node.results[0]);
      zero_point_ = values.result(node.results[1]);
    } else if (node.op->name == "quantize" || node.op->name == "point_binary") {
      quantize_ = part;
      q_ = values.result(node.results[0]);
    } else if (node.op->name == "range_mask") {
      mask_ = part;
      bits_ = values.result(node.results[0]);
    }
  }
}

Quantizer::Parameters Quantizer::parameters(const Arguments& a, const MinMax& seen) const {
  const auto put = [&](std::optional<std::size_t> result, auto value) {
    if (result) *a.results[*result].as<decltype(value)>() = value;
  };
  MinMax bounds;
  if (observer_.node != nullptr) {
    const Seen before = Seen::load(a.operands.subspan(observer_.operands + 1, observer_.node->operands.size() - 1));
    const Seen after = observer_of(*observer_.node)(*observer_.node, seen, before);
    bounds = after.bounds;
    put(low_, bounds.low);
    put(high_, bounds.high);
    put(count_, after.count);
  }
  Parameters p;
  const ir::Range range = range_of(*quantize_.node);
  p.quantization.lo = range.lo;
  p.quantization.hi = range.hi;
  if (affine_.node != nullptr) {
    const ir::Node& node = *affine_.node;
    const auto affine = ir::affine_parameters(bounds.low, bounds.high, range_of(node), node.attributes.boolean("symmetric"),
                                              node.attributes.boolean("power_of_two"));
    put(scale_, affine.scale);
    put(zero_point_, affine.zero_point);
    p.quantization.scale = affine.scale;
    p.quantization.zero_point = affine.zero_point;
  } else {
    const std::size_t scale = quantize_.operands + scale_at(*quantize_.node);
    p.quantization.scale = *a.operands[scale].as<float>();
    p.quantization.zero_point = *a.operands[scale + 1].as<std::int32_t>();
  }
  if (mask_.node != nullptr) p.marked = marked_by(*mask_.node, p.quantization.scale, p.quantization.zero_point);
  return p;
}

void Quantizer::quantize(const Arguments& a, const Parameters& p, const float* x, std::int64_t first, std::int64_t count) const {
  std::uint8_t* q = a.results[*q_].as<std::uint8_t>() + first;
  if (!bits_) return kernels_.quantize(p.quantization, x, q, count);
  kernels_.quantize_marking(p.quantization, p.marked.low, p.marked.high, x, q, a.results[*bits_].as<std::uint8_t>() + first / 8, count);
}

void Quantizer::quantize(const Arguments& a, const Parameters& p, const NormalizedRows& rows, std::int64_t first) const {
  std::uint8_t* bits = bits_ ? a.results[*bits_].as<std::uint8_t>() + first / 8 : nullptr;
  kernels_.quantize_normalized(p.quantization, rows, p.marked.low, p.marked.high, a.results[*q_].as<std::uint8_t>() + first, bits);
}

}  // namespace stair::backends::int8
