#include <array>
#include <string>

#include "backends/int8/channel_runs.h"
#include "backends/int8/fusion.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/variant_kernel.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// An epilogue whose channels all have the parameters of one channel of another.
class OneChannel {
 public:
  OneChannel(const Epilogue& e, std::int64_t channel) : epilogue(e) {
    spread(e.offset, channel, offset_, epilogue.offset);
    spread(e.multiplier, channel, multiplier_, epilogue.multiplier);
    spread(e.mantissa, channel, mantissa_, epilogue.mantissa);
    spread(e.left, channel, left_, epilogue.left);
    spread(e.right, channel, right_, epilogue.right);
    if (e.steps != nullptr) spread(e.steps, channel, steps_, epilogue.steps);
  }
  OneChannel(const OneChannel&) = delete;
  OneChannel& operator=(const OneChannel&) = delete;

  static constexpr std::int64_t width = 16;
  Epilogue epilogue;

 private:
  template <class T>
  using Array = std::array<T, 2 * width>;  // 16 more may be read behind the last

  template <class T>
  static void spread(const T* all, std::int64_t channel, Array<T>& to, const T*& used) {
    to.fill(all[channel]);
    used = to.data();
  }

  Array<std::int32_t> offset_, mantissa_, left_, right_;
  Array<float> multiplier_, steps_;
};

// Sums whose channels are the last axis are rows; else a run of one channel is a matrix of equal columns.
class RequantizeKernel : public VariantKernel {
 public:
  RequantizeKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : VariantKernel(kernels, graph.node(nodes[0]).op->name),
        fusion_(Fusion::of_rescale(graph.node(nodes[0]))),
        runs_(runs_of(graph, graph.node(nodes[0]))) {}
  std::size_t scratch_bytes(int /*threads*/) const override { return Fusion::parameter_bytes(runs_.channels); }

  void run(const Arguments& a) override {
    const Epilogue epilogue = fusion_.epilogue(a.operands, runs_.channels, a.scratch);
    const auto* sums = a.operands[0].as<const std::int32_t>();
    auto* to = a.results[0].as<std::byte>();
    const std::int64_t bytes = epilogue.rescale == Rescale::logits ? 4 : 1;
    if (runs_.length == 1) {
      const std::int64_t channels = runs_.channels;
      return for_ranges(runs_.count / channels, 1, elements_of_piece / channels, a.threads, [&](std::int64_t first, std::int64_t last) {
        kernels_.epilogue(epilogue, {sums + first * channels, channels, last - first, 0, channels, to + first * channels * bytes,
                                     channels * bytes, nullptr, 0});
      });
    }
    runs_.for_each(a.threads, [&](std::int64_t channel, std::int64_t first, std::int64_t last) {
      constexpr std::int64_t width = OneChannel::width;
      const OneChannel own(epilogue, channel);
      const std::int64_t rows = (last - first) / width;
      const std::int64_t done = first + rows * width;
      kernels_.epilogue(own.epilogue, {sums + first, width, rows, 0, width, to + first * bytes, width * bytes, nullptr, 0});
      if (done < last) kernels_.epilogue(own.epilogue, {sums + done, width, 1, 0, last - done, to + done * bytes, 0, nullptr, 0});
    });
  }

 private:
  static ChannelRuns runs_of(const ir::Graph& graph, const ir::Node& node) {
    return {graph.type(node.operands[0]).shape, node.attributes.integer("axis"), shares_parameters(graph, node)};
  }

  Fusion fusion_;
  ChannelRuns runs_;
};

Answer accepts_requantize(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_requantize(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<RequantizeKernel>(kernels, graph, nodes);
}

}  // namespace

void requantize(NodeKernels& kernels) {
  for (const char* op : {"requantize", "requantize_fixed", "dequantize_accumulator"})
    kernels.add(op, {accepts_requantize, prepare_requantize});
}

}  // namespace stair::backends::int8
