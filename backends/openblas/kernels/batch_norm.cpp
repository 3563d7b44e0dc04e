#include "backends/batch_statistics.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/forward.h"
#include "backends/openblas/statistics.h"

namespace stair::backends::openblas {
namespace {

class BatchNormKernel : public Kernel {
 public:
  BatchNormKernel(const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : node_(graph.node(nodes.front())), view_(graph.type(node_.operands[0]).shape, 1), outgoing_(graph, nodes) {
    // Its own y is a result where nothing is computed of it.
    first_statistic_ = outgoing_.computes() ? 0 : 1;
    y_ = outgoing_.computes() ? 4 : 0;
  }

  std::size_t scratch_bytes(int /*threads*/) const override { return sizeof(MinMax) * static_cast<std::size_t>(view_.channels); }

  void run(const Arguments& a) override {
    const BatchStatistics statistics(node_, view_.outer * view_.inner);
    const auto operand = [&](std::size_t i) { return a.operands[i].as<float>(); };
    const auto statistic = [&](std::size_t i) { return a.results[first_statistic_ + i].as<float>(); };
    const float* summand = outgoing_.summand(a);
    float* y = a.results[y_].as<float>();
    auto* bounds_seen = reinterpret_cast<MinMax*>(a.scratch);
    const ChannelBlocks blocks(view_, a.threads);
    for_items(blocks.count(), a.threads, [&](std::int64_t item) {
      const ChannelBlock block = blocks.at(item);
      float mean[column_block] = {};
      float variance[column_block] = {};
      float scale[column_block] = {};
      moments(view_, operand(0), block, mean, variance);
      for (std::int64_t i = 0; i < block.count; ++i) {
        const std::int64_t c = block.first + i;
        const BatchStatistics::Channel channel = statistics.of(mean[i], variance[i], operand(3)[c], operand(4)[c]);
        scale[i] = operand(1)[c] * channel.inv_std;
        statistic(0)[c] = channel.new_mean;
        statistic(1)[c] = channel.new_var;
        statistic(2)[c] = mean[i];
        statistic(3)[c] = channel.inv_std;
      }
      MinMax seen;
      for_rows(view_, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
        // In parts that stay in the first-level cache between the nodes of the group.
        for (std::int64_t done = 0; done < count; done += part) {
          const std::int64_t some = std::min(part, count - done);
          float* to = y + first + done;
          normalize_row(kind, operand(0) + first + done, mean + i, scale + i, operand(2) + block.first + i, to, some);
          outgoing_.row(to, summand == nullptr ? nullptr : summand + first + done, to, some, seen);
        }
      });
      bounds_seen[item] = seen;
    });
    outgoing_.observe(a, joined(std::span(bounds_seen, static_cast<std::size_t>(blocks.count()))));
  }
  std::string_view description() const override { return "vector loops"; }

 private:
  static constexpr std::int64_t part = 2048;

  const ir::Node& node_;
  ChannelView view_;
  Outgoing outgoing_;
  std::size_t first_statistic_, y_;
};

}  // namespace

std::unique_ptr<Kernel> batch_normalization(const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  return std::make_unique<BatchNormKernel>(graph, nodes);
}

void batch_norm(FunctionKernels& kernels) {
  kernels.add("batch_norm", {.function = nullptr, .accepts = not_double, .group = forward_group, .prepare = prepare_forward_group});
}

}  // namespace stair::backends::openblas
