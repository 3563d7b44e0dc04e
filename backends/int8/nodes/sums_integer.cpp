#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "backends/int8/for_ranges.h"
#include "backends/int8/fusion.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/variant_kernel.h"
#include "backends/int8/windows.h"
#include "ir/op.h"
#include "ir/ops/reduction.h"

namespace stair::backends::int8 {
namespace {

// A sum over neighbouring axes as a pooling: [outer, summed, inner] are images of summed x 1 pixels and `inner` channels, each one window.
std::optional<Window> window_of_sum(const ir::Graph& graph, const ir::Node& node) {
  const ir::Shape& x = graph.type(node.operands[0]).shape;
  const std::vector<bool> reduced = ir::ops::reduced_axes(node.attributes, x.size());
  const auto first = std::find(reduced.begin(), reduced.end(), true);
  const auto last = std::find(first, reduced.end(), false);
  if (first == reduced.end() || last == reduced.end() || std::find(last, reduced.end(), true) != reduced.end()) return std::nullopt;
  std::array<std::int64_t, 3> part{1, 1, 1};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const auto at = reduced.begin() + static_cast<std::ptrdiff_t>(i);
    part[at < first ? 0 : at < last ? 1 : 2] *= x[i];
  }
  return Window{part[0], part[2], part[1], 1, part[2], 1, 1, part[1], 1};
}

std::optional<Window> window_of(const ir::Graph& graph, const ir::Node& node) {
  if (node.op->name == "reduce_sum_integer") return window_of_sum(graph, node);
  if (!channels_last(node.attributes)) return std::nullopt;
  return Window::pooling(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.results[0]).shape);
}

// N-AVG: sums of windows and what rescales them, a block of sums at a time.
class SumKernel : public VariantKernel {
 public:
  SumKernel(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, const Window& window)
      : VariantKernel(kernels, "sums"), fusion_(graph, nodes), rows_(window), channels_(window.in_channels) {
    describe_more(fusion_);
  }
  std::size_t scratch_bytes(int /*threads*/) const override { return fusion_.rescale == nullptr ? 0 : Fusion::parameter_bytes(channels_); }

  void run(const Arguments& a) override {
    constexpr std::int64_t least = 1 << 18;  // bytes summed, that pay for another thread
    const std::int32_t zero_point = *a.operands[1].as<const std::int32_t>();
    Epilogue epilogue;
    if (fusion_.rescale != nullptr) epilogue = fusion_.epilogue(a.operands, channels_, a.scratch);
    for_ranges(rows_.count(), 1, least / rows_.bytes(), a.threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        rows_.for_each(a.operands[0], row, [&](const Windows& windows, std::int64_t pixel) {
          const auto start = static_cast<std::int32_t>(-zero_point * windows.rows * windows.columns);
          if (fusion_.rescale == nullptr) {
            kernels_.sum_windows(windows, start, a.results[0].as<std::int32_t>() + pixel * channels_, channels_);
          } else {
            sum_and_rescale(windows, start, epilogue, a, pixel);
          }
        });
      }
    });
  }

 private:
  static constexpr std::int64_t block = 512;  // sums

  void sum_and_rescale(const Windows& windows, std::int32_t start, const Epilogue& epilogue, const Arguments& a, std::int64_t pixel) const {
    alignas(64) std::array<std::int32_t, block> sums;
    const std::int64_t channels = std::min(channels_, block);
    const std::int64_t together = block / channels;
    const std::int64_t bytes = epilogue.rescale == Rescale::logits ? 4 : 1;
    const auto* other = fusion_.join == nullptr ? nullptr : a.operands[fusion_.other_at()].as<const std::uint8_t>();
    for (std::int64_t done = 0; done < windows.count; done += together) {
      for (std::int64_t c = 0; c < channels_; c += channels) {
        Windows part = windows;
        part.first += done * windows.stride + c;
        part.count = std::min(together, windows.count - done);
        part.channels = std::min(channels, channels_ - c);
        kernels_.sum_windows(part, start, sums.data(), channels);
        const std::int64_t at = (pixel + done) * channels_ + c;
        kernels_.epilogue(epilogue, {sums.data(), channels, part.count, c, part.channels, a.results[0].as<std::byte>() + at * bytes,
                                     channels_ * bytes, other == nullptr ? nullptr : other + at, channels_});
      }
    }
  }

  Fusion fusion_;
  WindowRows rows_;
  std::int64_t channels_;
};

Answer accepts_sums_integer(const ir::Graph& graph, const ir::Node& node) {
  if (window_of(graph, node)) return Answer::can();
  return Answer::cannot(node.op->name == "avg_pool_integer" ? "only layout nhwc" : "only sums over neighbouring axes before the last");
}

std::unique_ptr<Kernel> prepare_sums_integer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<SumKernel>(kernels, graph, nodes, *window_of(graph, graph.node(nodes.front())));
}

std::vector<ir::NodeId> group_sums_integer(const Kernels&, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                           const std::function<bool(ir::NodeId)>& free) {
  std::vector<ir::NodeId> nodes = fuse(graph, uses, first, free);
  // Several axes behind the summed ones are channels of the window; parameters are by the last axis.
  const bool one_axis = window_of(graph, graph.node(first))->in_channels == graph.type(graph.node(first).results[0]).shape.back();
  if (nodes.size() > 1 && !one_axis && !shares_parameters(graph, graph.node(nodes[1]))) return {first};
  return nodes;
}

}  // namespace

void sums_integer(NodeKernels& kernels) {
  for (const char* op : {"avg_pool_integer", "reduce_sum_integer"})
    kernels.add(op, {accepts_sums_integer, prepare_sums_integer, group_sums_integer});
}

}  // namespace stair::backends::int8
