#include <string>

#include "backends/int8/node_kernels.h"
#include "backends/int8/parallel_for.h"
#include "backends/int8/variant_kernel.h"
#include "backends/int8/windows.h"

namespace stair::backends::int8 {
namespace {

// N-MOVE
class MaxPoolKernel : public VariantKernel {
 public:
  MaxPoolKernel(const Kernels& kernels, const Window& window)
      : VariantKernel(kernels, "max pooling"), rows_(window), row_bytes_(window.out_width * window.in_channels) {}

  void run(const Arguments& a) override {
    constexpr std::int64_t least = 1 << 20;  // bytes compared, that pay for another thread
    parallel_for(rows_.count(), 1, least / rows_.bytes(), a.threads, [&](std::int64_t first, std::int64_t last) {
      auto* to = a.results[0].as<std::uint8_t>();
      for (std::int64_t row = first; row < last; ++row) {
        rows_.for_each(a.operands[0], row, [&](const Windows& windows, std::int64_t pixel) {
          kernels_.max_windows(windows, to + pixel * windows.channels, to + last * row_bytes_);
        });
      }
    });
  }

 private:
  WindowRows rows_;
  std::int64_t row_bytes_;
};

Answer accepts_max_pool_integer(const ir::Graph&, const ir::Node& node) {
  return channels_last(node.attributes) ? Answer::can() : Answer::cannot("only layout nhwc");
}

std::unique_ptr<Kernel> prepare_max_pool_integer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes,
                                                 Constants) {
  const ir::Node& node = graph.node(nodes.front());
  return std::make_unique<MaxPoolKernel>(
      kernels, Window::pooling(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.results[0]).shape));
}

}  // namespace

void max_pool_integer(NodeKernels& kernels) {
  kernels.add("max_pool_integer", {accepts_max_pool_integer, prepare_max_pool_integer});
}

}  // namespace stair::backends::int8
