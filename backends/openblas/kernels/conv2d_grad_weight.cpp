#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "backends/lanes.h"
#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/planes.h"
#include "backends/openblas/direct/winograd.h"
#include "backends/openblas/direct/winograd_gradient.h"
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

// Each piece of the batch adds its images to a gradient of its own.
class WeightGradientKernel : public Kernel {
 public:
  explicit WeightGradientKernel(const Window& window) : window_(window) {
    images_of_piece_ = balanced(window.images, piece_count(window.images, max_pieces));
    pieces_ = piece_count(window.images, images_of_piece_);
  }

  void run(const Arguments& a) override {
    auto* gradients = reinterpret_cast<float*>(a.scratch);
    const std::int64_t floats = line_up(gradient_floats());
    parallel_for(pieces_, a.threads, [&](std::int64_t piece, int slot) {
      float* memory = gradients + pieces_ * floats + slot * line_up(thread_floats());
      float* gradient = gradients + piece * floats;
      std::fill_n(gradient, floats, 0.0F);
      const std::int64_t first = piece * images_of_piece_;
      add(a.operands[0].as<float>(), a.operands[1].as<float>(), first, std::min(window_.images, first + images_of_piece_), memory,
          gradient);
    });
    for_pieces(floats, a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      for (std::int64_t piece = 1; piece < pieces_; ++piece) add_piece(gradients + first, gradients + piece * floats + first, last - first);
    });
    finish(gradients, a.results[0].as<float>(), a.threads);
  }

  std::size_t scratch_bytes(int threads) const override {
    return static_cast<std::size_t>(pieces_ * line_up(gradient_floats()) + threads * line_up(thread_floats())) * sizeof(float);
  }
  std::string_view isa() const override { return direct::loops().name; }

 protected:
  virtual std::int64_t gradient_floats() const = 0;
  virtual std::int64_t thread_floats() const = 0;
  /// Adds the images [first, end), in order.
  virtual void add(const float* dy, const float* x, std::int64_t first, std::int64_t end, float* memory, float* gradient) const = 0;
  virtual void finish(const float* gradient, float* dw, int threads) const = 0;

  const Window& window() const { return window_; }

 private:
  Window window_;
  std::int64_t images_of_piece_ = 1, pieces_ = 1;
};

// dw[o, tap] = the sum over images and pixels of dy * x, in vectors along the output channels; where a group has one of them, along the
// pixels.
class DirectWeightGradient : public WeightGradientKernel {
 public:
  explicit DirectWeightGradient(const Window& g)
      : WeightGradientKernel(g),
        channels_(g.group_out() == 1 ? 1 : (g.group_out() + direct::most_lanes - 1) / direct::most_lanes * direct::most_lanes),
        planes_(g, direct::tile_rows(g, direct::first_level_floats, transposed_floats(1))),
        taps_(static_cast<std::int64_t>(planes_.offsets().size())),
        description_(std::string(direct::loops().name) + (channels_ == 1 ? " direct, vectors of pixels" : " direct, vectors of channels")) {
  }

  std::string_view description() const override { return description_; }

 protected:
  std::int64_t gradient_floats() const override { return window().groups * taps_ * channels_; }
  std::int64_t thread_floats() const override { return line_up(planes_.floats()) + transposed_floats(planes_.rows()); }

  void add(const float* dy, const float* x, std::int64_t first, std::int64_t end, float* memory, float* gradient) const override {
    for (std::int64_t n = first; n < end; ++n) {
      for (std::int64_t group = 0; group < window().groups; ++group) {
        add_image(dy, x, n, group, memory, gradient + group * taps_ * channels_);
      }
    }
  }

  void finish(const float* gradient, float* dw, int threads) const override {
    constexpr std::int64_t tap_block = 32;
    const Window& g = window();
    const std::int64_t blocks = piece_count(taps_, tap_block);
    for_items(g.groups * blocks, threads, [&](std::int64_t item) {
      const std::int64_t group = item / blocks;
      const std::int64_t k = item % blocks * tap_block;
      direct::loops().transpose(gradient + (group * taps_ + k) * channels_, channels_, std::min(tap_block, taps_ - k), g.group_out(),
                                dw + group * g.group_out() * taps_ + k, taps_);
    });
  }

 private:
  std::int64_t transposed_floats(std::int64_t rows) const { return channels_ == 1 ? 0 : rows * window().out_width * channels_; }

  void add_image(const float* dy, const float* x, std::int64_t n, std::int64_t group, float* memory, float* gradient) const {
    const Window& g = window();
    const std::int64_t plane = g.out_height * g.out_width;
    float* transposed = memory + line_up(planes_.floats());
    for (std::int64_t first = 0; first < g.out_height; first += planes_.rows()) {
      const std::int64_t rows = std::min(planes_.rows(), g.out_height - first);
      const float* gradients = dy + (n * g.out_channels + group * g.group_out()) * plane + first * g.out_width;
      planes_.copy(x + (n * g.in_channels + group * g.group_in()) * g.in_height * g.in_width, first, memory);
      if (channels_ == 1) {
        add_channel(gradients, rows, memory, gradient);
        continue;
      }
      const std::int64_t pixels = rows * g.out_width;
      if (channels_ > g.group_out()) std::fill_n(transposed, pixels * channels_, 0.0F);
      direct::loops().transpose(gradients, plane, g.group_out(), pixels, transposed, channels_);
      direct::loops().gradient(memory, planes_.offsets().data(), taps_, rows, g.out_width, planes_.pitch(), transposed, channels_,
                               channels_, gradient, channels_);
    }
  }

  void add_channel(const float* dy, std::int64_t rows, const float* source, float* gradient) const {
    const std::int64_t width = window().out_width;
    for (std::int64_t t = 0; t < taps_; ++t) {
      const float* x = source + planes_.offsets()[static_cast<std::size_t>(t)];
      Lanes<float> sum;
      for (std::int64_t r = 0; r < rows; ++r) add_products(dy + r * width, x + r * planes_.pitch(), width, sum);
      gradient[t] += sum.total();
    }
  }

  std::int64_t channels_;  // of a group, whole vectors
  direct::Planes planes_;
  std::int64_t taps_;
  std::string description_;
};

class WinogradWeightGradient : public WeightGradientKernel {
 public:
  explicit WinogradWeightGradient(const Window& g) : WeightGradientKernel(g), gradient_(g) {}

  std::string_view description() const override { return description_; }

 protected:
  std::int64_t gradient_floats() const override { return gradient_.gradient_floats(); }
  std::int64_t thread_floats() const override { return gradient_.thread_floats(); }
  void add(const float* dy, const float* x, std::int64_t first, std::int64_t end, float* memory, float* gradient) const override {
    gradient_.add(dy, x, first, end, memory, gradient);
  }
  void finish(const float* gradient, float* dw, int threads) const override { gradient_.finish(gradient, dw, threads); }

 private:
  direct::WinogradWeightGradient gradient_;
  std::string description_ = std::string(direct::loops().name) + " winograd, vectors of channels";
};

std::unique_ptr<Kernel> prepare_conv2d_grad_weight(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  const ir::Node& node = graph.node(nodes.front());
  const Window window = Window::convolution(node.attributes, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape,
                                            graph.type(node.operands[0]).shape);
  if (direct::WinogradConvolution::takes(window)) return std::make_unique<WinogradWeightGradient>(window);
  return std::make_unique<DirectWeightGradient>(window);
}

}  // namespace

void conv2d_grad_weight(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_weight", {.function = nullptr, .accepts = not_double, .prepare = prepare_conv2d_grad_weight});
}

}  // namespace stair::backends::openblas
