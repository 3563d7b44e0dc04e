#include <memory>
#include <vector>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"
#include "backends/strided_subconvolutions.h"

namespace stair::backends::openblas {
namespace {

// A part of the gradient by the input: all of it with stride 1.
struct Part {
  StridedSubconvolution rows, columns;
  std::unique_ptr<direct::Algorithm> convolution;  // nullptr: no kernel position reads these pixels, they are 0
  std::int64_t at = 0;                             // where its result begins among those of all parts

  static Window window(const Window& g, const StridedSubconvolution& rows, const StridedSubconvolution& columns) {
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
  static std::int64_t step(const StridedSubconvolution& phase) { return phase.shift.size() > 1 ? phase.shift[1] - phase.shift[0] : 1; }
  Part(const Window& g, const StridedSubconvolution& of_rows, const StridedSubconvolution& of_columns)
      : rows(of_rows), columns(of_columns) {
    if (!rows.kernel.empty() && !columns.kernel.empty()) convolution = direct::algorithm(window(g, rows, columns));
  }
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

STAIR_MULTIVERSION void interleave(const float* even, const float* odd, float* to, std::int64_t pairs) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < pairs; ++i) {
    to[2 * i] = even[i];
    to[2 * i + 1] = odd[i];
  }
}

class InputGradientKernel : public Kernel {
 public:
  InputGradientKernel(const ir::Graph& graph, const ir::Node& node)
      : window_(Window::convolution(node.attributes, graph.type(node.results[0]).shape, graph.type(node.operands[1]).shape,
                                    graph.type(node.operands[0]).shape)),
        zeros_(static_cast<std::size_t>(window_.in_width)) {
    const Window& g = window_;
    const std::vector<StridedSubconvolution> of_columns =
        strided_subconvolutions(g.in_width, g.kernel_width, g.stride_w, g.left, g.dilation_w);
    across_ = of_columns.size();
    for (const StridedSubconvolution& rows : strided_subconvolutions(g.in_height, g.kernel_height, g.stride_h, g.top, g.dilation_h)) {
      for (const StridedSubconvolution& columns : of_columns) parts_.emplace_back(g, rows, columns);
    }
    for (Part& part : parts_) {
      if (part.convolution == nullptr) continue;
      const std::int64_t packed = line_up(part.convolution->packed_floats());
      if (packed > packed_) description_ = part.convolution->description();
      packed_ = std::max(packed_, packed);
      part.at = result_floats_;
      result_floats_ += whole() ? 0 : line_up(g.images * g.in_channels * part.rows.pixels * part.columns.pixels);
    }
  }

  void run(const Arguments& a) override {
    auto* flipped = reinterpret_cast<float*>(a.scratch);
    float* packed = flipped + flipped_floats();
    float* results = packed + packed_;
    auto* rest = reinterpret_cast<std::byte*>(results + result_floats_);
    float* dx = a.results[0].as<float>();
    for (const Part& part : parts_) {
      if (part.convolution == nullptr) continue;
      flip(window_, part, a.operands[1].as<float>(), flipped, a.threads);
      part.convolution->pack(flipped, packed, a.threads);
      part.convolution->run(a.operands[0].as<float>(), packed, {}, whole() ? dx : results + part.at, rest, a.threads);
    }
    if (!whole()) merge(results, dx, a.threads);
  }

  std::size_t scratch_bytes(int threads) const override {
    std::size_t most = 0;
    for (const Part& part : parts_) most = std::max(most, part.convolution == nullptr ? 0 : part.convolution->scratch_bytes(threads));
    return static_cast<std::size_t>(flipped_floats() + packed_ + result_floats_) * sizeof(float) + most;
  }
  // Of the part with the most weights.
  std::string_view description() const override { return description_; }
  std::string_view isa() const override { return direct::loops().name; }

 private:
  bool whole() const { return parts_.size() == 1 && parts_.front().convolution != nullptr; }
  std::int64_t flipped_floats() const {
    return line_up(window_.out_channels * window_.group_in() * window_.kernel_height * window_.kernel_width);
  }

  // Row k of a part, of one plane.
  const float* row(const Part& part, const float* results, std::int64_t plane, std::int64_t k) const {
    if (part.convolution == nullptr) return zeros_.data();
    return results + part.at + (plane * part.rows.pixels + k) * part.columns.pixels;
  }

  // Each row of dx from the parts that share it.
  void merge(const float* results, float* dx, int threads) const {
    const Window& g = window_;
    for_items(g.images * g.in_channels, threads, [&](std::int64_t plane) {
      for (std::size_t first = 0; first < parts_.size(); first += across_) {
        const StridedSubconvolution& rows = parts_[first].rows;
        for (std::int64_t k = 0; k < rows.pixels; ++k) {
          float* to = dx + (plane * g.in_height + rows.first + k * g.stride_h) * g.in_width;
          if (across_ == 2 && g.stride_w == 2) {
            const std::size_t even = first + (parts_[first].columns.first == 0 ? 0 : 1);
            const std::size_t odd = 2 * first + 1 - even;
            interleave(row(parts_[even], results, plane, k), row(parts_[odd], results, plane, k), to, g.in_width / 2);
            if (g.in_width % 2 == 1) to[g.in_width - 1] = row(parts_[even], results, plane, k)[g.in_width / 2];
            continue;
          }
          for (std::size_t part = first; part < first + across_; ++part) {
            const StridedSubconvolution& columns = parts_[part].columns;
            const float* from = row(parts_[part], results, plane, k);
            for (std::int64_t i = 0; i < columns.pixels; ++i) to[columns.first + i * g.stride_w] = from[i];
          }
        }
      }
    });
  }

  Window window_;
  std::vector<Part> parts_;  // [residue of the rows][of the columns]
  std::size_t across_ = 1;   // residues of the columns
  std::vector<float> zeros_;
  std::string_view description_ = "zeros";
  std::int64_t packed_ = 0, result_floats_ = 0;
};

std::unique_ptr<Kernel> prepare_conv2d_grad_input(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<InputGradientKernel>(graph, graph.node(nodes.front()));
}

}  // namespace

void conv2d_grad_input(FunctionKernels& kernels) {
  kernels.add("conv2d_grad_input", {.function = nullptr, .accepts = not_double, .prepare = prepare_conv2d_grad_input});
}

}  // namespace stair::backends::openblas
