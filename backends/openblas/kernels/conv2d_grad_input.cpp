#include "backends/openblas/accepts.h"
#include "backends/openblas/convolution.h"

namespace stair::backends::openblas {
namespace {

// With stride 1 the gradient is itself a convolution: of dy with the weights flipped and their channels swapped.
bool is_convolution(const Window& g) {
  return g.stride_h == 1 && g.stride_w == 1 && g.top <= (g.kernel_height - 1) * g.dilation_h &&
         g.left <= (g.kernel_width - 1) * g.dilation_w;
}

Window transposed(const Window& g) {
  Window t = g;
  t.in_channels = g.out_channels;
  t.in_height = g.out_height;
  t.in_width = g.out_width;
  t.out_channels = g.in_channels;
  t.out_height = g.in_height;
  t.out_width = g.in_width;
  t.top = (g.kernel_height - 1) * g.dilation_h - g.top;
  t.left = (g.kernel_width - 1) * g.dilation_w - g.left;
  return t;
}

// Each group's [out, in, KH, KW] becomes [in, out, KH, KW], every kernel backwards.
void flip(const Window& g, const float* w, float* flipped, int threads) {
  const std::int64_t window = g.kernel_height * g.kernel_width;
  for_items(g.out_channels, threads, [&](std::int64_t o) {
    const std::int64_t group = o / g.group_out();
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      const float* from = w + (o * g.group_in() + c) * window;
      float* to = flipped + ((group * g.group_in() + c) * g.group_out() + o % g.group_out()) * window;
      for (std::int64_t k = 0; k < window; ++k) to[window - 1 - k] = from[k];
    }
  });
}

// The image with its padding, whole: tiles add to common rows of it.
std::int64_t frame_height(const Window& g) {
  return (g.out_height - 1) * g.stride_h + (g.kernel_height - 1) * g.dilation_h + 1;
}

ScratchPlan plan(const Window& g) {
  if (is_convolution(g)) {
    ScratchPlan p = plan_convolve(transposed(g));
    p.shared += line_up(g.out_channels * g.group_in() * g.kernel_height * g.kernel_width);
    return p;
  }
  const Tiling t(g);
  return {0, line_up(g.group_in() * frame_height(g) * t.padded_width) + line_up(t.tap_step * t.pixels)};
}

// Adds the taps [first, first + count) of the rows from `first_row` on to the pixels that they read.
void add_taps(const Window& g, const Tiling& t, const float* columns, std::int64_t first, std::int64_t count, std::int64_t first_row,
              std::int64_t rows, float* frame) {
  const std::int64_t window = g.kernel_height * g.kernel_width;
  for (std::int64_t tap = first; tap < first + count; ++tap) {
    const std::int64_t row_of_tap = tap / window * frame_height(g) + tap % window / g.kernel_width * g.dilation_h;
    for (std::int64_t row = 0; row < rows; ++row, columns += g.out_width) {
      float* to = frame + (row_of_tap + (first_row + row) * g.stride_h) * t.padded_width + tap % g.kernel_width * g.dilation_w;
      for (std::int64_t i = 0; i < g.out_width; ++i) to[i * g.stride_w] += columns[i];
    }
  }
}

// The frame without its padding; pixels that no window reaches are 0.
void crop(const Window& g, const Tiling& t, const float* frame, float* dx) {
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t h = 0; h < g.in_height; ++h) {
      float* to = dx + (c * g.in_height + h) * g.in_width;
      const std::int64_t row = h + g.top;
      const float* from = frame + (c * frame_height(g) + row) * t.padded_width + g.left;
      const std::int64_t width = row < frame_height(g) ? std::clamp<std::int64_t>(t.padded_width - g.left, 0, g.in_width) : 0;
      std::copy_n(from, width, to);
      std::fill(to + width, to + g.in_width, 0.0F);
    }
  }
}

void run_strided(const Window& g, const float* dy, const float* w, float* dx, const ScratchPlan& p, const Arguments& a) {
  const Tiling t(g);
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t frame_floats = g.group_in() * frame_height(g) * t.padded_width;
  for_items(g.images, a.threads, [&](std::int64_t n) {
    float* frame = p.of_this_thread(a.scratch);
    float* columns = frame + line_up(frame_floats);
    for (std::int64_t group = 0; group < g.groups; ++group) {
      std::fill_n(frame, frame_floats, 0.0F);
      for (std::int64_t first_row = 0; first_row < g.out_height; first_row += t.rows) {
        const std::int64_t rows = std::min(t.rows, g.out_height - first_row);
        const float* gradient = dy + (n * g.out_channels + group * t.channels) * plane + first_row * g.out_width;
        for (std::int64_t k = 0; k < t.taps; k += t.tap_step) {
          const std::int64_t count = std::min(t.tap_step, t.taps - k);
          sgemm(count, rows * g.out_width, t.channels, {w + group * t.channels * t.taps + k, t.taps, true}, {gradient, plane}, 0.0F,
                columns, rows * g.out_width);
          add_taps(g, t, columns, k, count, first_row, rows, frame);
        }
      }
      crop(g, t, frame, dx + (n * g.in_channels + group * g.group_in()) * g.in_height * g.in_width);
    }
  });
}

void run(const ir::Node& node, const Arguments& a) {
  const Window g = Window::convolution(node.attributes, a.results[0].type.shape, a.operands[1].type.shape, a.operands[0].type.shape);
  const ScratchPlan p = plan(g);
  const float* dy = a.operands[0].as<float>();
  const float* w = a.operands[1].as<float>();
  float* dx = a.results[0].as<float>();
  if (!is_convolution(g)) return run_strided(g, dy, w, dx, p, a);
  const Window t = transposed(g);
  float* flipped = reinterpret_cast<float*>(a.scratch) + order_floats(t, Tiling(t));
  flip(g, w, flipped, a.threads);
  convolve(t, dy, flipped, nullptr, dx, p, a.scratch, a.threads);
}

std::size_t scratch(const ir::Graph& graph, const ir::Node& node) {
  return plan(Window::convolution(node.attributes, graph.type(node.results[0]).shape, graph.type(node.operands[1]).shape,
                                  graph.type(node.operands[0]).shape))
      .bytes();
}

}  // namespace

void conv2d_grad_input(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_input", {run, "im2col, sgemm", not_double, scratch});
}

}  // namespace stair::backends::openblas
