#include "backends/int8/gradients.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "backends/int8/memory.h"
#include "backends/int8/pieces.h"
#include "backends/phases.h"
#include "backends/window.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

constexpr int max_threads = 16;
constexpr std::int64_t least_channels = 8;       // of either side: tiles have room for 16
constexpr std::int64_t most_positions = 8192;    // of an image's planes, that lie in a cache
constexpr std::int64_t positions_a_call = 1024;  // of dy: so many make up for loading and storing the sums

std::int64_t whole(std::int64_t count, std::int64_t unit) {
  return quotient_up(count, unit) * unit;
}

std::string describe(const Kernels& kernels) {
  return std::string(name_of(kernels.isa)) + " integers by thirds of floats";
}

std::byte* take(std::byte*& memory, std::size_t bytes) {
  std::byte* taken = memory;
  memory += whole_lines(bytes);
  return taken;
}

/// The weights' gradient. Where its operands lie among the group's: q, scale, zero point, dy.
class WeightGradientKernel : public Kernel {
 public:
  static Window window(const ir::Graph& graph, const ir::Node& node) {
    return Window::convolution(node.attributes, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape,
                               graph.type(node.operands[0]).shape);
  }
  static bool fits(const Kernels& kernels, const Window& w, bool one_scale) {
    const WeightGradientKernel made(kernels, w, false);
    return one_scale && w.groups == 1 && std::min(w.in_channels, w.out_channels) >= least_channels &&
           made.g_.row_planes * made.g_.column_planes * made.g_.plane_positions <= most_positions;
  }

  WeightGradientKernel(const Kernels& kernels, const Window& w, bool is_signed)
      : run_(kernels.weight_gradient), description_(describe(kernels)), window_(w) {
    g_.is_signed = is_signed;
    g_.in_channels = w.in_channels;
    g_.in_height = w.in_height;
    g_.in_width = w.in_width;
    g_.out_channels = w.out_channels;
    g_.out_height = w.out_height;
    g_.out_width = w.out_width;
    g_.stride_h = w.stride_h;
    g_.stride_w = w.stride_w;
    g_.top = w.top;
    g_.left = w.left;
    g_.row_planes = std::min(w.stride_h, (w.kernel_height - 1) * w.dilation_h + 1);
    g_.column_planes = std::min(w.stride_w, (w.kernel_width - 1) * w.dilation_w + 1);
    g_.plane_rows = w.out_height + (w.kernel_height - 1) * w.dilation_h / w.stride_h;
    g_.pitch = w.out_width + (w.kernel_width - 1) * w.dilation_w / w.stride_w;
    g_.positions = whole(w.out_height * g_.pitch, gradient_depth);
    const std::int64_t last_offset = (g_.plane_rows - w.out_height) * g_.pitch + g_.pitch - w.out_width;
    g_.plane_positions = whole(std::max(g_.plane_rows * g_.pitch, g_.positions + last_offset + 2), gradient_tile);
    for (std::int64_t kh = 0; kh < w.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < w.kernel_width; ++kw) {
        const std::int64_t y = kh * w.dilation_h;
        const std::int64_t x = kw * w.dilation_w;
        const std::int64_t plane = y % w.stride_h * g_.column_planes + x % w.stride_w;
        offsets_.push_back(static_cast<std::int32_t>(plane * g_.plane_positions + y / w.stride_h * g_.pitch + x / w.stride_w));
      }
    }
    g_.taps = static_cast<std::int64_t>(offsets_.size());
    images_of_call_ = std::clamp<std::int64_t>(positions_a_call / g_.positions, 1, w.images);
    images_of_piece_ = quotient_up(w.images, std::min(w.images, max_pieces));
    pieces_ = quotient_up(w.images, images_of_piece_);
  }

  void run(const Arguments& a) override {
    const Window& w = window_;
    auto* sums = reinterpret_cast<float*>(a.scratch);
    const std::int64_t piece_floats = sums_floats();
    const int team = std::min(a.threads, max_threads);
#pragma omp parallel for num_threads(team) schedule(static) if (pieces_ > 1)
    for (std::int64_t piece = 0; piece < pieces_; ++piece) {
      WeightGradient g = g_;
      std::byte* memory = a.scratch + static_cast<std::size_t>(pieces_ * piece_floats) * sizeof(float) +
                          thread_bytes() * static_cast<std::size_t>(omp_get_thread_num());
      g.bytes = reinterpret_cast<std::uint8_t*>(take(memory, bytes_bytes()));
      g.pairs = reinterpret_cast<std::uint16_t*>(take(memory, pairs_bytes()));
      g.parts = reinterpret_cast<std::uint16_t*>(memory);
      g.sums = sums + piece * piece_floats;
      g.tap_offsets = offsets_.data();
      g.zero_point = *a.operands[2].as<std::int32_t>();
      std::fill_n(g.sums, piece_floats, 0.0F);
      const std::int64_t end = std::min(w.images, (piece + 1) * images_of_piece_);
      for (std::int64_t image = piece * images_of_piece_; image < end; image += images_of_call_) {
        g.images = std::min(images_of_call_, end - image);
        g.q = a.operands[0].as<std::uint8_t>() + image * w.in_channels * w.in_height * w.in_width;
        g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
        run_(g);
      }
    }
    finish(sums, *a.operands[1].as<float>(), a.results[0].as<float>(), a.threads);
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(pieces_ * sums_floats()) * sizeof(float) + max_threads * thread_bytes();
  }
  std::string_view description() const override {
    return description_;
  }

 private:
  // The batch is cut into so many pieces, whatever the threads; each has sums of its own, and these are added in order (N-REPEAT).
  static constexpr std::int64_t max_pieces = 8;

  std::int64_t in_padded() const {
    return whole(window_.in_channels, gradient_tile);
  }
  std::int64_t out_padded() const {
    return whole(window_.out_channels, gradient_tile);
  }
  std::int64_t sums_floats() const {
    return g_.taps * in_padded() * out_padded();
  }
  std::size_t bytes_bytes() const {
    return static_cast<std::size_t>(gradient_tile * g_.plane_positions);
  }
  std::size_t pairs_bytes() const {
    return static_cast<std::size_t>(in_padded() * images_of_call_ * 2 * g_.row_planes * g_.column_planes * g_.plane_positions) * 2;
  }
  std::size_t parts_bytes() const {
    return static_cast<std::size_t>(gradient_parts * out_padded() * images_of_call_ * g_.positions) * 2;
  }
  std::size_t thread_bytes() const {
    return whole_lines(bytes_bytes()) + whole_lines(pairs_bytes()) + whole_lines(parts_bytes());
  }

  // dw[o][c][tap] = scale * the sum over pieces.
  void finish(float* sums, float scale, float* dw, int threads) const {
    const std::int64_t taps = g_.taps;
    const std::int64_t of_tap = in_padded() * out_padded();
    for_pieces(window_.out_channels, 1, std::max<std::int64_t>(1, elements_of_piece / (taps * in_padded())), threads,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t o = first; o < last; ++o) {
                   for (std::int64_t tap = 0; tap < taps; ++tap) {
                     float* row = sums + tap * of_tap + o * in_padded();
                     for (std::int64_t piece = 1; piece < pieces_; ++piece) {
                       const float* more = row + piece * sums_floats();
                       for (std::int64_t c = 0; c < window_.in_channels; ++c) row[c] += more[c];
                     }
                     for (std::int64_t c = 0; c < window_.in_channels; ++c) dw[(o * window_.in_channels + c) * taps + tap] = scale * row[c];
                   }
                 }
               });
  }

  void (*run_)(const WeightGradient&);
  std::string description_;
  Window window_;
  WeightGradient g_{};
  std::vector<std::int32_t> offsets_;
  std::int64_t images_of_call_ = 1, images_of_piece_ = 1, pieces_ = 1;
};

// How far before the first position of dy, and behind pixel i, the phases read.
std::pair<std::int64_t, std::int64_t> reach(const std::vector<Phase>& all) {
  std::int64_t before = 0;
  std::int64_t end = 0;
  for (const Phase& phase : all) {
    for (const std::int64_t shift : phase.shift) {
      before = std::max(before, -shift);
      end = std::max(end, shift + phase.pixels);
    }
  }
  return {before, end};
}

/// The input's gradient. Where its operands lie among the group's: q, scale, zero point, dy.
class InputGradientKernel : public Kernel {
 public:
  static Window window(const ir::Graph& graph, const ir::Node& node) {
    return Window::convolution(node.attributes, graph.type(node.results[0]).shape, graph.type(node.operands[1]).shape,
                               graph.type(node.operands[0]).shape);
  }
  static bool fits(const Kernels& kernels, const Window& w) {
    const InputGradientKernel made(kernels, w);
    return w.groups == 1 && std::min(w.in_channels, w.out_channels) >= least_channels && made.g_.plane_positions <= most_positions;
  }

  InputGradientKernel(const Kernels& kernels, const Window& w) : run_(kernels.input_gradient), description_(describe(kernels)), window_(w) {
    const std::vector<Phase> of_rows = phases(w.in_height, w.kernel_height, w.stride_h, w.top, w.dilation_h);
    const std::vector<Phase> of_columns = phases(w.in_width, w.kernel_width, w.stride_w, w.left, w.dilation_w);
    const auto [above, bottom] = reach(of_rows);
    const auto [before, right] = reach(of_columns);
    g_.out_channels = w.out_channels;
    g_.out_height = w.out_height;
    g_.out_width = w.out_width;
    g_.in_channels = w.in_channels;
    g_.in_height = w.in_height;
    g_.in_width = w.in_width;
    g_.stride_h = w.stride_h;
    g_.stride_w = w.stride_w;
    g_.top = above;
    g_.left = before;
    g_.pitch = before + std::max(right, w.out_width);
    // The last block of positions may begin with the last row's last position.
    g_.plane_positions = whole((above + std::max(bottom, w.out_height)) * g_.pitch + 2 * gradient_tile, gradient_tile);
    if (g_.plane_positions % 1024 == 0) g_.plane_positions += gradient_tile;  // rows of a tile in different lines of the cache
    g_.doubled = w.out_channels <= gradient_depth / 2;
    g_.pair_rows = whole(w.out_channels, gradient_depth) / 2;
    g_.covers = true;
    for (const Phase& rows : of_rows) {
      for (const Phase& columns : of_columns) add_part(rows, columns);
    }
  }

  void run(const Arguments& a) override {
    const Window& w = window_;
    std::byte* memory = a.scratch;
    auto* weights = reinterpret_cast<std::uint16_t*>(take(memory, weights_bytes()));
    auto* scale = reinterpret_cast<float*>(take(memory, scale_bytes()));
    std::vector<InputPart> parts;
    for (const Part& part : parts_) {
      parts.push_back({weights, part.offsets.data(), part.first_pairs.data(), part.steps(), part.rows, part.columns, part.first_row,
                       part.first_column});
      pack(part, a.operands[0], *a.operands[2].as<std::int32_t>(), weights, a.threads);
      weights += part.steps() * step_size();
    }
    for (std::int64_t o = 0; o < w.out_channels; ++o) scale[o] = a.operands[1].as<float>()[a.operands[1].count() == 1 ? 0 : o];
    const auto team = static_cast<int>(std::min<std::int64_t>({a.threads, max_threads, w.images}));
#pragma omp parallel num_threads(team) if (team > 1)
    {
      InputGradient g = g_;
      g.pairs = reinterpret_cast<std::uint16_t*>(memory + pairs_bytes() * static_cast<std::size_t>(omp_get_thread_num()));
      g.scale = scale;
      g.parts = parts.data();
      g.part_count = static_cast<std::int64_t>(parts.size());
      std::memset(g.pairs, 0, pairs_bytes());
#pragma omp for schedule(static)
      for (std::int64_t image = 0; image < w.images; ++image) {
        g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
        g.dx = a.results[0].as<float>() + image * w.in_channels * w.in_height * w.in_width;
        run_(g);
      }
    }
  }

  std::size_t scratch_bytes() const override {
    return whole_lines(weights_bytes()) + whole_lines(scale_bytes()) + max_threads * pairs_bytes();
  }
  std::string_view description() const override {
    return description_;
  }

 private:
  // The taps of a step; kw of the second is -1 where there is none.
  struct Step {
    std::int64_t kh, kw, second_kw, first_channel;
  };
  struct Part {
    std::int64_t rows, columns, first_row, first_column;
    std::vector<Step> taps;
    std::vector<std::int32_t> offsets, first_pairs;
    std::int64_t steps() const { return static_cast<std::int64_t>(taps.size()); }
  };

  std::size_t scale_bytes() const {
    return static_cast<std::size_t>(window_.out_channels) * sizeof(float);
  }
  std::size_t pairs_bytes() const {
    return whole_lines(static_cast<std::size_t>(gradient_parts * g_.pair_rows * g_.plane_positions) * 2 * sizeof(std::uint16_t));
  }
  std::int64_t step_size() const {
    return whole(window_.in_channels, gradient_tile) * gradient_depth;
  }
  std::size_t weights_bytes() const {
    std::int64_t steps = 0;
    for (const Part& part : parts_) steps += part.steps();
    return static_cast<std::size_t>(steps * step_size()) * sizeof(std::uint16_t);
  }

  void add_part(const Phase& rows, const Phase& columns) {
    if (rows.kernel.empty() || columns.kernel.empty()) {
      g_.covers = false;
      return;
    }
    Part part{rows.pixels, columns.pixels, rows.first, columns.first, {}, {}, {}};
    for (std::size_t r = 0; r < rows.kernel.size(); ++r) {
      for (std::size_t c = 0; c < columns.kernel.size(); ++c) {
        const bool both = g_.doubled && c + 1 < columns.kernel.size() && columns.shift[c + 1] == columns.shift[c] + 1;
        const std::int64_t offset = (rows.shift[r] + g_.top) * g_.pitch + columns.shift[c] + g_.left;
        for (std::int64_t pair = 0; pair < g_.pair_rows; pair += gradient_depth / 2) {
          part.taps.push_back({rows.kernel[r], columns.kernel[c], both ? columns.kernel[c + 1] : -1, 2 * pair});
          part.offsets.push_back(static_cast<std::int32_t>(offset));
          part.first_pairs.push_back(static_cast<std::int32_t>(pair));
        }
        if (both) ++c;
      }
    }
    parts_.push_back(std::move(part));
  }

  // As bfloat16s, exactly; 0 where channels or taps end.
  void pack(const Part& part, const ir::TensorView& q, std::int32_t zero_point, std::uint16_t* packed, int threads) const {
    const Window& w = window_;
    const bool is_signed = q.type.dtype == ir::DType::s8;
    const auto weight = [&](std::int64_t o, std::int64_t c, std::int64_t kh, std::int64_t kw) -> std::uint16_t {
      if (o >= w.out_channels || c >= w.in_channels || kw < 0) return 0;
      const std::int64_t at = ((o * w.in_channels + c) * w.kernel_height + kh) * w.kernel_width + kw;
      const int integer = is_signed ? q.as<std::int8_t>()[at] : q.as<std::uint8_t>()[at];
      const auto value = static_cast<float>(integer - zero_point);
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      return static_cast<std::uint16_t>(bits >> 16U);
    };
    const std::int64_t of_channel = part.steps() * gradient_depth;
    for_pieces(whole(w.in_channels, gradient_tile), gradient_tile, elements_of_piece / of_channel, threads,
               [&](std::int64_t first, std::int64_t last) {
                 std::uint16_t* to = packed + first * of_channel;
                 for (std::int64_t panel = first; panel < last; panel += gradient_tile) {
                   for (const Step& step : part.taps) {
                     for (std::int64_t c = panel; c < panel + gradient_tile; ++c) {
                       for (std::int64_t i = 0; i < gradient_depth; ++i) {
                         const bool second = g_.doubled && i >= gradient_depth / 2;
                         const std::int64_t o = step.first_channel + (second ? i - gradient_depth / 2 : i);
                         *to++ = weight(o, c, step.kh, second ? step.second_kw : step.kw);
                       }
                     }
                   }
                 }
               });
  }

  void (*run_)(const InputGradient&);
  std::string description_;
  Window window_;
  InputGradient g_{};
  std::vector<Part> parts_;
};

}  // namespace

std::vector<ir::NodeId> gradient_group(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& dequantize = graph.node(first);
  const ir::NodeId* id = only_reader(uses, dequantize.results[0], free);
  if (id == nullptr || graph.node(*id).operands.size() != 2 || graph.node(*id).operands[1] != dequantize.results[0]) return {first};
  const ir::Node& reader = graph.node(*id);
  const bool one_scale = ir::element_count(graph.type(dequantize.operands[1]).shape) == 1;
  const std::int64_t axis = dequantize.attributes.integer("axis");
  if (reader.op->name == "conv2d_grad_weight" && kernels.weight_gradient != nullptr &&
      WeightGradientKernel::fits(kernels, WeightGradientKernel::window(graph, reader), one_scale)) {
    return {first, *id};
  }
  if (reader.op->name == "conv2d_grad_input" && kernels.input_gradient != nullptr && (one_scale || axis == 0) &&
      InputGradientKernel::fits(kernels, InputGradientKernel::window(graph, reader))) {
    return {first, *id};
  }
  return {first};
}

std::unique_ptr<Kernel> prepare_gradient(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  const ir::Node& reader = graph.node(nodes.back());
  if (reader.op->name == "conv2d_grad_weight") {
    const bool is_signed = graph.type(graph.node(nodes.front()).operands[0]).dtype == ir::DType::s8;
    return std::make_unique<WeightGradientKernel>(kernels, WeightGradientKernel::window(graph, reader), is_signed);
  }
  return std::make_unique<InputGradientKernel>(kernels, InputGradientKernel::window(graph, reader));
}

}  // namespace stair::backends::int8
