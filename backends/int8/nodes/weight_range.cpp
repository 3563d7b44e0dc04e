#include <optional>
#include <string>

#include "backends/group_arguments.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/parallel_for.h"
#include "backends/int8/variant_kernel.h"
#include "backends/min_max.h"
#include "backends/range.h"
#include "ir/numerics.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

/// The quantizer of weights with a range for each output channel:
///   weight_range, (affine_parameters, quantize)?
/// A channel's weights are read from memory once, for its range, and quantized from the first-level cache.
class WeightRangeKernel : public VariantKernel {
 public:
  WeightRangeKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, "weight_range") {
    const GroupArguments values(graph, nodes);
    const ir::Node& range = graph.node(nodes[0]);
    low_ = values.result(range.results[0]);
    high_ = values.result(range.results[1]);
    const ir::Shape& shape = graph.type(range.operands[0]).shape;
    channels_ = shape[0];
    length_ = ir::element_count(shape) / channels_;
    if (nodes.size() == 1) return;
    quantizes_ = true;
    const ir::Node& affine = graph.node(nodes[1]);
    range_ = range_of(affine);
    symmetric_ = affine.attributes.boolean("symmetric");
    power_of_two_ = affine.attributes.boolean("power_of_two");
    scale_ = values.result(affine.results[0]);
    zero_point_ = values.result(affine.results[1]);
    integers_ = range_of(graph.node(nodes[2]));
    q_ = *values.result(graph.node(nodes[2]).results[0]);
    describe_more("quantize");
  }

  void run(const Arguments& a) override {
    const float* weights = a.operands[0].as<float>();
    parallel_for(channels_, 1, elements_of_piece / length_, a.threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t channel = first; channel < last; ++channel) run_channel(a, weights + channel * length_, channel);
    });
  }

 private:
  void run_channel(const Arguments& a, const float* weights, std::int64_t channel) const {
    MinMax extent;
    extent.see(weights, length_);
    if (low_) a.results[*low_].as<float>()[channel] = extent.low;
    if (high_) a.results[*high_].as<float>()[channel] = extent.high;
    if (!quantizes_) return;
    const auto parameters = ir::affine_parameters(extent.low, extent.high, range_, symmetric_, power_of_two_);
    if (scale_) a.results[*scale_].as<float>()[channel] = parameters.scale;
    if (zero_point_ && channel == 0) *a.results[*zero_point_].as<std::int32_t>() = parameters.zero_point;
    kernels_.quantize({parameters.scale, parameters.zero_point, integers_.lo, integers_.hi}, weights,
                      a.results[q_].as<std::uint8_t>() + channel * length_, length_);
  }

  std::int64_t channels_ = 0, length_ = 0;
  bool quantizes_ = false, symmetric_ = false, power_of_two_ = false;
  ir::Range range_, integers_;                                  // of the parameters, and what is clamped to
  std::optional<std::size_t> low_, high_, scale_, zero_point_;  // among the group's results
  std::size_t q_ = 0;
};

Answer accepts_weight_range(const ir::Graph& graph, const ir::Node& node) {
  if (graph.type(node.operands[0]).dtype != ir::DType::f32) return Answer::cannot("f64: the reference computes in double");
  if (graph.type(node.results[0]).shape == ir::Shape{1}) return Answer::cannot("one range: no weight is quantized before all are read");
  return Answer::can();
}

std::vector<ir::NodeId> group_weight_range(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                           const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& range = graph.node(first);
  const ir::NodeId* affine = only_reader(uses, range.results[0], free);
  if (affine == nullptr || graph.node(*affine).op->name != "affine_parameters" || graph.node(*affine).operands != range.results)
    return {first};
  const std::vector<ir::ValueId>& parameters = graph.node(*affine).results;
  for (const ir::NodeId reader : uses.nodes[static_cast<std::size_t>(parameters[0])]) {
    const ir::Node& quantize = graph.node(reader);
    if (quantize.op->name != "quantize" || !free(reader) || quantize.attributes.integer("axis") != 0) continue;
    if (quantize.operands != std::vector{range.operands[0], parameters[0], parameters[1]}) continue;
    const std::vector<ir::NodeId> group{first, *affine, reader};
    if (readers_follow(graph, uses, group)) return group;
  }
  return {first};
}

std::unique_ptr<Kernel> prepare_weight_range(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<WeightRangeKernel>(kernels, graph, nodes);
}

}  // namespace

void weight_range(NodeKernels& kernels) {
  kernels.add("weight_range", {accepts_weight_range, prepare_weight_range, group_weight_range});
}

}  // namespace stair::backends::int8
