#include <memory>
#include <vector>

#include "backends/openblas/accepts.h"
#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/parallel.h"
#include "backends/phases.h"

namespace stair::backends::openblas {
namespace {

// A part of the gradient by the input: all of it with stride 1.
struct Part {
  Phase rows, columns;
  std::unique_ptr<direct::Algorithm> convolution;

  static Window window(const Window& g, const Phase& rows, const Phase& columns) {
    Window t = g;
    t.in_channels = g.out_channels;
    t.in_height = g.out_height;
    t.in_width = g.out_width;
    t.out_channels = g.in_channels;
    t.out_height = rows.pixels;
    t.out_width = columns.pixels;
    t.kernel_height = static_cast<std::int64_t>(rows.kernel.size());
    t.kernel_width = static_cast<std::int64_t>(columns.kernel.size());
    t.stride_h = t.stride_w = 1;
    t.dilation_h = step(rows);
    t.dilation_w = step(columns);
    t.top = -rows.shift.front();
    t.left = -columns.shift.front();
    return t;
  }
  static std::int64_t step(const Phase& phase) { return phase.shift.size() > 1 ? phase.shift[1] - phase.shift[0] : 1; }
  Part(const Window& g, const Phase& of_rows, const Phase& of_columns)
      : rows(of_rows), columns(of_columns), convolution(direct::algorithm(window(g, of_rows, of_columns))) {}
};

// Each group's [out, in, KH, KW] becomes [in, out, taps of the part], backwards.
void flip(const Window& g, const Part& part, const float* w, float* flipped, int threads) {
  const std::int64_t window = g.kernel_height * g.kernel_width;
  const auto taps = static_cast<std::int64_t>(part.rows.kernel.size() * part.columns.kernel.size());
  for_items(g.out_channels, threads, [&](std::int64_t o) {
    const std::int64_t group = o / g.group_out();
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      const float* from = w + (o * g.group_in() + c) * window;
      float* to = flipped + ((group * g.group_in() + c) * g.group_out() + o % g.group_out()) * taps;
      for (const std::int64_t kh : part.rows.kernel) {
        for (const std::int64_t kw : part.columns.kernel) *to++ = from[kh * g.kernel_width + kw];
      }
    }
  });
}

class InputGradientKernel : public Kernel {
 public:
  InputGradientKernel(const ir::Graph& graph, const ir::Node& node)
      : window_(Window::convolution(node.attributes, graph.type(node.results[0]).shape, graph.type(node.operands[1]).shape,
                                    graph.type(node.operands[0]).shape)) {
    const Window& g = window_;
    const std::vector<Phase> of_columns = phases(g.in_width, g.kernel_width, g.stride_w, g.left, g.dilation_w);
    for (const Phase& rows : phases(g.in_height, g.kernel_height, g.stride_h, g.top, g.dilation_h)) {
      for (const Phase& columns : of_columns) {
        const bool reads = !rows.kernel.empty() && !columns.kernel.empty();
        covers_ = covers_ && reads;
        if (reads) parts_.emplace_back(g, rows, columns);
      }
    }
    for (const Part& part : parts_) {
      const std::int64_t packed = (part.convolution->packed_floats() + 15) / 16 * 16;
      if (packed > packed_) description_ = part.convolution->description();
      packed_ = std::max(packed_, packed);
      scratch_ = std::max(scratch_, part.convolution->scratch_bytes());
      part_floats_ = std::max(part_floats_, whole() ? 0 : g.images * g.in_channels * part.rows.pixels * part.columns.pixels);
    }
    part_floats_ = (part_floats_ + 15) / 16 * 16;
  }

  void run(const Arguments& a) override {
    const Window& g = window_;
    auto* flipped = reinterpret_cast<float*>(a.scratch);
    float* packed = flipped + flipped_floats();
    float* result = packed + packed_;
    auto* rest = reinterpret_cast<std::byte*>(result + part_floats_);
    float* dx = a.results[0].as<float>();
    if (!covers_) std::fill_n(dx, a.results[0].count(), 0.0F);
    for (const Part& part : parts_) {
      flip(g, part, a.operands[1].as<float>(), flipped, a.threads);
      part.convolution->pack(flipped, packed, a.threads);
      part.convolution->run(a.operands[0].as<float>(), packed, {}, whole() ? dx : result, rest, a.threads);
      if (!whole()) scatter(part, result, dx, a.threads);
    }
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(flipped_floats() + packed_ + part_floats_) * sizeof(float) + scratch_;
  }
  // Of the part with the most weights.
  std::string_view description() const override { return description_; }

 private:
  bool whole() const { return window_.stride_h == 1 && window_.stride_w == 1; }
  std::int64_t flipped_floats() const {
    return (window_.out_channels * window_.group_in() * window_.kernel_height * window_.kernel_width + 15) / 16 * 16;
  }

  void scatter(const Part& part, const float* from, float* dx, int threads) const {
    const Window& g = window_;
    const std::int64_t rows = part.rows.pixels;
    const std::int64_t columns = part.columns.pixels;
    for_items(g.images * g.in_channels, threads, [&](std::int64_t plane) {
      for (std::int64_t r = 0; r < rows; ++r) {
        const float* row = from + (plane * rows + r) * columns;
        float* to = dx + (plane * g.in_height + part.rows.first + r * g.stride_h) * g.in_width + part.columns.first;
        for (std::int64_t i = 0; i < columns; ++i) to[i * g.stride_w] = row[i];
      }
    });
  }

  Window window_;
  std::vector<Part> parts_;
  bool covers_ = true;  // every pixel belongs to a part
  std::string_view description_ = "zeros";
  std::int64_t packed_ = 0, part_floats_ = 0;
  std::size_t scratch_ = 0;
};

std::unique_ptr<Kernel> prepare_conv2d_grad_input(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<InputGradientKernel>(graph, graph.node(nodes.front()));
}

}  // namespace

void conv2d_grad_input(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_input", {.function = nullptr, .accepts = not_double, .prepare = prepare_conv2d_grad_input});
}

}  // namespace stair::backends::openblas
