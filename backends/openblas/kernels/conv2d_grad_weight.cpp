#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/convolution.h"
#include "backends/openblas/transpose.h"

namespace stair::backends::openblas {
namespace {

// The batch is cut into so many pieces, whatever the threads; each sums into a gradient of its own, and these are added in order
// (N-REPEAT).
constexpr std::int64_t max_pieces = 8;

std::int64_t images_of_piece(const Window& g) {
  return balanced(g.images, piece_count(g.images, max_pieces));
}
std::int64_t pieces(const Window& g) {
  return piece_count(g.images, images_of_piece(g));
}
// A piece's gradient lies as [groups, taps, channels]: the shape in which the product needs nothing transposed but dy, the smaller matrix.
std::size_t gradient_floats(const Window& g, const Tiling& t) {
  return line_up(g.groups * t.taps * t.channels);
}

ScratchPlan plan(const Window& g) {
  const Tiling t(g);
  return {static_cast<std::size_t>(pieces(g)) * gradient_floats(g, t),
          t.padded_floats(g) + t.column_floats() + line_up(t.pixels * t.channels)};
}

STAIR_MULTIVERSION void add_to(float* sum, const float* x, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

void run(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.operands[1].type.shape, a.results[0].type.shape, a.operands[0].type.shape);
  const Tiling t(g);
  const ScratchPlan p = plan(g);
  const float* dy = a.operands[0].as<float>();
  const float* x = a.operands[1].as<float>();
  float* dw = a.results[0].as<float>();
  auto* gradients = reinterpret_cast<float*>(a.scratch);
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t per_piece = images_of_piece(g);
  for_items(pieces(g), a.threads, [&](std::int64_t piece) {
    float* memory = p.of_this_thread(a.scratch);
    Columns columns(g, t, memory);
    float* turned = memory + t.padded_floats(g) + t.column_floats();
    float* gradient = gradients + static_cast<std::size_t>(piece) * gradient_floats(g, t);
    for (std::int64_t n = piece * per_piece; n < std::min(g.images, (piece + 1) * per_piece); ++n) {
      for (std::int64_t part = 0; part < g.groups * t.tiles; ++part) {
        const std::int64_t group = part / t.tiles;
        columns.load(x + (n * g.in_channels + group * g.group_in()) * g.in_height * g.in_width, 0, part % t.tiles);
        transpose(dy + (n * g.out_channels + group * t.channels) * plane + columns.first_pixel(), plane, t.channels, columns.pixels(),
                  turned, t.channels);
        const bool first = n == piece * per_piece && part % t.tiles == 0;
        for (std::int64_t k = 0, count = 0; k < t.taps; k += count) {
          count = t.run(k, t.tap_step);
          const Matrix taps = columns.taps(k, count);
          for (std::int64_t o = 0; o < t.channels; o += t.channel_step) {
            sgemm(count, std::min(t.channel_step, t.channels - o), columns.pixels(), taps, {turned + o, t.channels}, first ? 0.0F : 1.0F,
                  gradient + (group * t.taps + k) * t.channels + o, t.channels);
          }
        }
      }
    }
  });
  const std::int64_t tap_block = t.by_rows ? g.kernel_width : 32;
  const std::int64_t blocks = piece_count(t.taps, tap_block);
  for_items(g.groups * blocks, a.threads, [&](std::int64_t item) {
    const std::int64_t group = item / blocks;
    const std::int64_t k = item % blocks * tap_block;
    const std::int64_t count = std::min(tap_block, t.taps - k);
    const std::int64_t first = (group * t.taps + k) * t.channels;
    for (std::int64_t piece = 1; piece < pieces(g); ++piece) {
      add_to(gradients + first, gradients + static_cast<std::size_t>(piece) * gradient_floats(g, t) + first, count * t.channels);
    }
    // Kernel row kh of channel c, back in its place.
    const std::int64_t kh = k / t.band;
    const std::int64_t c = k % t.band / g.kernel_width;
    transpose(gradients + first, t.channels, count, t.channels,
              dw + group * t.channels * t.taps + (t.by_rows ? (c * g.kernel_height + kh) * g.kernel_width : k), t.taps);
  });
}

std::size_t scratch(const ir::Graph& graph, const ir::Node& node) {
  return plan(Window::convolution(node.attributes, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape,
                                  graph.type(node.operands[0]).shape))
      .bytes();
}

}  // namespace

void conv2d_grad_weight(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_weight", {run, "im2col, sgemm", not_double, scratch});
}

}  // namespace stair::backends::openblas
