#include <omp.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/planes.h"
#include "backends/openblas/lanes.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

// The batch is cut into so many pieces, whatever the threads; each sums into a gradient of its own, and these are added in order
// (N-REPEAT).
constexpr std::int64_t max_pieces = 8;

STAIR_MULTIVERSION void add_piece(float* sum, const float* x, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) sum[i] += x[i];
}

// dw[o, tap] = the sum over images and pixels of dy * x, in vectors along the output channels; where a group has one of them, along the
// pixels.
class WeightGradientKernel : public Kernel {
 public:
  WeightGradientKernel(const ir::Graph& graph, const ir::Node& node)
      : window_(Window::convolution(node.attributes, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape,
                                    graph.type(node.operands[0]).shape)),
        channels_(window_.group_out() == 1 ? 1 : (window_.group_out() + direct::most_lanes - 1) / direct::most_lanes * direct::most_lanes),
        planes_(window_, direct::tile_rows(window_, direct::first_level_floats, turned_floats(1))),
        taps_(static_cast<std::int64_t>(planes_.offsets().size())) {
    images_of_piece_ = balanced(window_.images, piece_count(window_.images, max_pieces));
    pieces_ = piece_count(window_.images, images_of_piece_);
  }

  void run(const Arguments& a) override {
    auto* gradients = reinterpret_cast<float*>(a.scratch);
    for_items(pieces_, a.threads, [&](std::int64_t piece) {
      float* memory = gradients + pieces_ * gradient_floats() + omp_get_thread_num() * thread_floats();
      float* gradient = gradients + piece * gradient_floats();
      std::fill_n(gradient, gradient_floats(), 0.0F);
      const std::int64_t end = std::min(window_.images, (piece + 1) * images_of_piece_);
      for (std::int64_t n = piece * images_of_piece_; n < end; ++n) {
        for (std::int64_t group = 0; group < window_.groups; ++group) {
          add_image(a.operands[0].as<float>(), a.operands[1].as<float>(), n, group, memory, gradient + group * taps_ * channels_);
        }
      }
    });
    add_pieces(gradients, a.results[0].as<float>(), a.threads);
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(pieces_ * gradient_floats() + max_threads * thread_floats()) * sizeof(float);
  }
  std::string_view description() const override { return description_; }

 private:
  std::int64_t gradient_floats() const { return (window_.groups * taps_ * channels_ + 15) / 16 * 16; }
  std::int64_t turned_floats(std::int64_t rows) const { return channels_ == 1 ? 0 : rows * window_.out_width * channels_; }
  std::int64_t thread_floats() const { return (planes_.floats() + 15) / 16 * 16 + turned_floats(planes_.rows()); }

  void add_image(const float* dy, const float* x, std::int64_t n, std::int64_t group, float* memory, float* gradient) const {
    const Window& g = window_;
    const std::int64_t plane = g.out_height * g.out_width;
    float* turned = memory + (planes_.floats() + 15) / 16 * 16;
    for (std::int64_t first = 0; first < g.out_height; first += planes_.rows()) {
      const std::int64_t rows = std::min(planes_.rows(), g.out_height - first);
      const float* gradients = dy + (n * g.out_channels + group * g.group_out()) * plane + first * g.out_width;
      planes_.copy(x + (n * g.in_channels + group * g.group_in()) * g.in_height * g.in_width, first, memory);
      if (channels_ == 1) {
        add_channel(gradients, rows, memory, gradient);
        continue;
      }
      const std::int64_t pixels = rows * g.out_width;
      if (channels_ > g.group_out()) std::fill_n(turned, pixels * channels_, 0.0F);
      direct::loops().transpose(gradients, plane, g.group_out(), pixels, turned, channels_);
      direct::loops().gradient(memory, planes_.offsets().data(), taps_, rows, g.out_width, planes_.pitch(), turned, channels_, channels_,
                               gradient, channels_);
    }
  }

  void add_channel(const float* dy, std::int64_t rows, const float* source, float* gradient) const {
    const std::int64_t width = window_.out_width;
    for (std::int64_t t = 0; t < taps_; ++t) {
      const float* x = source + planes_.offsets()[static_cast<std::size_t>(t)];
      Lanes<float> sum;
      for (std::int64_t r = 0; r < rows; ++r) add_products(dy + r * width, x + r * planes_.pitch(), width, sum);
      gradient[t] += sum.total();
    }
  }

  void add_pieces(float* gradients, float* dw, int threads) const {
    constexpr std::int64_t tap_block = 32;
    const Window& g = window_;
    const std::int64_t blocks = piece_count(taps_, tap_block);
    for_items(g.groups * blocks, threads, [&](std::int64_t item) {
      const std::int64_t group = item / blocks;
      const std::int64_t k = item % blocks * tap_block;
      const std::int64_t count = std::min(tap_block, taps_ - k);
      float* sum = gradients + (group * taps_ + k) * channels_;
      for (std::int64_t piece = 1; piece < pieces_; ++piece) add_piece(sum, sum + piece * gradient_floats(), count * channels_);
      direct::loops().transpose(sum, channels_, count, g.group_out(), dw + group * g.group_out() * taps_ + k, taps_);
    });
  }

  Window window_;
  std::int64_t channels_;  // of a group, whole vectors
  direct::Planes planes_;
  std::int64_t taps_;
  std::int64_t images_of_piece_ = 1, pieces_ = 1;
  std::string description_ = std::string(direct::loops().name) + " direct, vectors of channels";
};

std::unique_ptr<Kernel> prepare_conv2d_grad_weight(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<WeightGradientKernel>(graph, graph.node(nodes.front()));
}

}  // namespace

void conv2d_grad_weight(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_weight", {.function = nullptr, .accepts = not_double, .prepare = prepare_conv2d_grad_weight});
}

}  // namespace stair::backends::openblas
