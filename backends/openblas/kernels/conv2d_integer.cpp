#include "backends/backend.h"
#include "backends/element_types.h"
#include "backends/openblas/convolution.h"
#include "backends/openblas/exact.h"

namespace stair::backends::openblas {
namespace {

ScratchPlan plan_conv2d_integer(const Window& g) {
  const Tiling t(g);
  return {line_up(g.out_channels * t.taps) + order_floats(g, t), t.padded_floats(g) + t.column_floats() + line_up(t.channels * t.pixels)};
}

// N-ACC by N-F32GEMM: products run in float while the sum is sure to be exact, then go over into int32.
template <class Q>
void run_tile(const Window& g, const Tiling& t, const Q* x, std::int32_t zero_point, const float* w, std::int64_t exact, std::int64_t tile,
              float* memory, std::int32_t* acc) {
  Columns columns(g, t, memory);
  columns.load(x, zero_point, tile);
  float* sums = memory + t.padded_floats(g) + t.column_floats();
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t step = std::min(t.tap_step, exact);
  std::int64_t stored = 0;  // taps that are in acc; those from there to k are in sums
  for (std::int64_t k = 0, count = 0; k < t.taps; k += count) {
    count = t.run(k, step);
    const Matrix piece = columns.taps(k, count);
    for (std::int64_t o = 0; o < t.channels; o += t.channel_step) {
      sgemm(std::min(t.channel_step, t.channels - o), columns.pixels(), count, {w + o * t.taps + k, t.taps}, piece,
            k == stored ? 0.0F : 1.0F, sums + o * columns.pixels(), columns.pixels());
    }
    const bool last = k + count == t.taps;
    if (!last && k + count + std::min(step, t.taps - k - count) - stored <= exact) continue;
    for (std::int64_t o = 0; o < t.channels; ++o) {
      store_integers(sums + o * columns.pixels(), stored > 0, acc + o * plane + columns.first_pixel(), columns.pixels());
    }
    stored = k + count;
  }
}

void run_conv2d_integer(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  const Tiling t(g);
  const ScratchPlan p = plan_conv2d_integer(g);
  const auto* w = a.operands[1].as<std::int8_t>();
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const std::int64_t exact = exact_run(w, g.out_channels, t.taps, largest_distance(a.operands[0].type.dtype, zero_point));
  auto* as_floats = reinterpret_cast<float*>(a.scratch);
  to_float(w, 0, as_floats, g.out_channels * t.taps);
  const float* weights = order_taps(g, t, as_floats, as_floats + line_up(g.out_channels * t.taps), a.threads);
  auto* acc = a.results[0].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    parallel_for(g.images * t.tiles, a.threads, [&](std::int64_t item, int slot) {
      const std::int64_t n = item / t.tiles;
      for (std::int64_t group = 0; group < g.groups; ++group) {
        run_tile(g, t, a.operands[0].as<Q>() + (n * g.in_channels + group * g.group_in()) * g.in_height * g.in_width, zero_point,
                 weights + group * t.channels * t.taps, exact, item % t.tiles, p.of_slot(a.scratch, slot),
                 acc + (n * g.out_channels + group * t.channels) * g.out_height * g.out_width);
      }
    });
  });
}

std::size_t conv2d_integer_scratch(const ir::Graph& graph, const ir::Node& node, int threads) {
  return plan_conv2d_integer(Window::convolution(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape,
                                                 graph.type(node.results[0]).shape))
      .bytes(threads);
}

Answer accepts_conv2d_integer(const ir::Graph&, const ir::Node& node) {
  return channels_last(node.attributes) ? Answer::cannot("runs on [N,C,H,W]") : Answer::can();
}

}  // namespace

void conv2d_integer(FunctionKernels& kernels) {
  kernels.add("conv2d_integer", {run_conv2d_integer, "im2col, sgemm (exact)", accepts_conv2d_integer, conv2d_integer_scratch});
}

}  // namespace stair::backends::openblas
