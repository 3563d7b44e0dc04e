#include "backends/int8/gradients.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "backends/int8/memory.h"
#include "backends/int8/pieces.h"
#include "backends/multiversion.h"
#include "backends/phases.h"
#include "backends/window.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

constexpr int max_threads = 16;
constexpr std::int64_t least_channels = 8;           // of a side that tiles have room for 16 of
constexpr std::int64_t most_positions = 8192;        // of an image's planes, that lie in a cache
constexpr std::int64_t conflicting_positions = 512;  // rows of a tile so far apart fall on few sets of the cache

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
  static bool fits(const Window& w, bool one_scale) {
    return one_scale && w.groups == 1 && w.out_channels >= least_channels &&
           w.in_channels * w.kernel_height * w.kernel_width >= gradient_tile && w.out_width <= most_pixels;
  }

  WeightGradientKernel(const Kernels& kernels, const Window& w, bool is_signed)
      : run_(kernels.weight_gradient), description_(describe(kernels)), window_(w), taps_(w.kernel_height * w.kernel_width) {
    g_.is_signed = is_signed;
    g_.in_channels = w.in_channels;
    g_.in_height = w.in_height;
    g_.in_width = w.in_width;
    g_.out_channels = w.out_channels;
    g_.out_height = w.out_height;
    g_.out_width = w.out_width;
    g_.pitch = pitch_of(w);
    g_.stride_h = w.stride_h;
    g_.stride_w = w.stride_w;
    g_.top = w.top;
    g_.left = w.left;
    cut(w);
    add_planes(w);
    images_of_piece_ = quotient_up(w.images, std::min(w.images, max_pieces));
    pieces_ = quotient_up(w.images, images_of_piece_);
    // So many images together that their copies stay in the second-level cache.
    const std::int64_t bytes = g_.image_positions * bfloat_bytes;
    images_of_call_ =
        rows_of_call_ < w.out_height
            ? 1
            : std::clamp<std::int64_t>(std::min(pixels_a_call / whole(pixels_of_call(), gradient_depth), bytes_a_call / bytes), 1,
                                       images_of_piece_);
    g_.steps_a_pass = sums_floats() * 4 > bytes_a_call ? 32 : 4;
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
      g.padded = reinterpret_cast<std::uint16_t*>(take(memory, padded_bytes()));
      g.parts = reinterpret_cast<std::uint16_t*>(take(memory, parts_bytes()));
      g.inputs = reinterpret_cast<std::uint16_t*>(memory);
      g.sums = sums + piece * piece_floats;
      g.planes = planes_.data();
      g.block_starts = block_starts_.data();
      g.zero_point = *a.operands[2].as<std::int32_t>();
      std::fill_n(g.sums, piece_floats, 0.0F);
      const std::int64_t end = std::min(w.images, (piece + 1) * images_of_piece_);
      for (std::int64_t image = piece * images_of_piece_; image < end; image += images_of_call_) {
        g.images = std::min(images_of_call_, end - image);
        g.q = a.operands[0].as<std::uint8_t>() + image * w.in_channels * w.in_height * w.in_width;
        g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
        for (g.first_row = 0; g.first_row < w.out_height; g.first_row += rows_of_call_) {
          g.rows = std::min(rows_of_call_, w.out_height - g.first_row);
          run_(g);
        }
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
  static constexpr std::int64_t most_pixels = 4096;   // of a row
  static constexpr std::int64_t pixels_a_call = 512;  // of dy
  static constexpr std::int64_t bytes_a_call = 1024 * 1024;
  static constexpr std::int64_t bfloat_bytes = 2;

  std::int64_t out_blocks() const {
    return quotient_up(window_.out_channels, gradient_tile);
  }
  std::int64_t sums_floats() const {
    return g_.blocks * out_blocks() * gradient_sums;
  }
  std::int64_t pixels_of_call() const {
    return rows_of_call_ * g_.pitch;
  }
  std::size_t padded_bytes() const {
    return static_cast<std::size_t>(g_.lines * g_.line_pixels * bfloat_bytes);
  }
  std::size_t parts_bytes() const {
    return static_cast<std::size_t>(g_.steps_a_pass * gradient_parts * gradient_depth * gradient_tile * bfloat_bytes);
  }
  std::size_t inputs_bytes() const {  // a block's rows may end behind the last channel
    const std::int64_t behind = gradient_tile * g_.row_stride + g_.channel_positions + gradient_depth;
    return static_cast<std::size_t>((images_of_call_ * g_.image_positions + behind) * bfloat_bytes);
  }
  std::size_t thread_bytes() const {
    return whole_lines(padded_bytes()) + whole_lines(parts_bytes()) + whole_lines(inputs_bytes());
  }

  // Rows that nearly fill whole lines are padded to them: kernel positions then share planes.
  static std::int64_t pitch_of(const Window& w) {
    const std::int64_t padded = whole(w.out_width, gradient_tile);
    return w.kernel_height > 1 && 7 * padded <= 8 * w.out_width ? padded : w.out_width;
  }

  // A large image is cut into parts of as many rows each.
  void cut(const Window& w) {
    const std::int64_t most_rows = std::clamp<std::int64_t>(pixels_a_call / g_.pitch, 1, w.out_height);
    rows_of_call_ = quotient_up(w.out_height, quotient_up(w.out_height, most_rows));
    g_.lines = (rows_of_call_ - 1) * w.stride_h + (w.kernel_height - 1) * w.dilation_h + 1;
    const std::int64_t copied = (w.kernel_width - 1) * w.dilation_w + whole(w.out_width, gradient_depth) * w.stride_w;
    g_.line_pixels = whole(std::max(w.left + w.in_width, copied), gradient_depth);
  }

  void add_planes(const Window& w) {
    const std::int64_t whole_rows = gradient_depth / std::gcd(gradient_depth, g_.pitch);  // that are whole lines
    std::vector<std::int64_t> plane_of_tap;
    std::vector<std::int64_t> row_of_tap;
    for (std::int64_t tap = 0; tap < taps_; ++tap) {
      const std::int64_t row = tap / w.kernel_width * w.dilation_h;
      const std::int64_t column = tap % w.kernel_width * w.dilation_w;
      const auto shared = std::find_if(planes_.begin(), planes_.end(), [&](const GradientPlane& plane) {
        const std::int64_t rows = (row - plane.row) / w.stride_h;
        return w.in_channels >= gradient_tile && plane.column == column && (row - plane.row) % w.stride_h == 0 && rows % whole_rows == 0 &&
               rows <= rows_of_call_;
      });
      plane_of_tap.push_back(shared - planes_.begin());
      row_of_tap.push_back(row);
      if (shared == planes_.end()) {
        planes_.push_back({row, column, 0, 0});
      } else {
        shared->more_rows = (row - shared->row) / w.stride_h;
      }
    }
    g_.plane_count = static_cast<std::int64_t>(planes_.size());
    std::int64_t size = 0;
    for (const GradientPlane& plane : planes_) size = std::max(size, whole((rows_of_call_ + plane.more_rows) * g_.pitch, gradient_depth));
    if (size % conflicting_positions == 0) size += gradient_depth;
    for (std::int64_t p = 0; p < g_.plane_count; ++p) planes_[static_cast<std::size_t>(p)].start = p * size;
    g_.channel_positions = g_.plane_count * size;
    g_.image_positions = w.in_channels * g_.channel_positions;
    // Rows of a block are planes, from channel to channel; where some are shared, the same tap's of 16 channels.
    together_ = g_.plane_count == taps_;
    if (together_) {
      g_.row_stride = size;
      g_.blocks = quotient_up(w.in_channels * taps_, gradient_tile);
      for (std::int64_t block = 0; block < g_.blocks; ++block)
        block_starts_.push_back(static_cast<std::int32_t>(block * gradient_tile * size));
    } else {
      g_.row_stride = g_.channel_positions;
      g_.blocks = quotient_up(w.in_channels, gradient_tile) * taps_;
      for (std::int64_t block = 0; block < g_.blocks; ++block) {
        const auto tap = static_cast<std::size_t>(block % taps_);
        const GradientPlane& plane = planes_[static_cast<std::size_t>(plane_of_tap[tap])];
        const std::int64_t rows = (row_of_tap[tap] - plane.row) / w.stride_h;
        block_starts_.push_back(
            static_cast<std::int32_t>(block / taps_ * gradient_tile * g_.channel_positions + plane.start + rows * g_.pitch));
      }
    }
  }

  // Element [c][tap] of a channel's gradient that a row of the blocks is, taken as one number; behind the last one there may be more.
  std::int64_t element(std::int64_t block, std::int64_t row) const {
    return together_ ? block * gradient_tile + row : (block / taps_ * gradient_tile + row) * taps_ + block % taps_;
  }

  // dw = scale * the sum over pieces.
  void finish(const float* sums, float scale, float* dw, int threads) const {
    const std::int64_t of_channel = window_.in_channels * taps_;
    for_pieces(g_.blocks, 1, std::max<std::int64_t>(1, elements_of_piece / (out_blocks() * gradient_sums)), threads,
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t block = first; block < last; ++block) {
                   for (std::int64_t out = 0; out < out_blocks(); ++out) {
                     float tile[gradient_sums];
                     std::memcpy(tile, sums + (block * out_blocks() + out) * gradient_sums, sizeof tile);
                     for (std::int64_t piece = 1; piece < pieces_; ++piece) {
                       const float* more = sums + piece * sums_floats() + (block * out_blocks() + out) * gradient_sums;
                       STAIR_SIMD
                       for (std::int64_t i = 0; i < gradient_sums; ++i) tile[i] += more[i];
                     }
                     store_tile(tile, scale, block, out * gradient_tile, dw, of_channel);
                   }
                 }
               });
  }

  void store_tile(const float* tile, float scale, std::int64_t block, std::int64_t first_channel, float* dw,
                  std::int64_t of_channel) const {
    const std::int64_t channels = std::min(gradient_tile, window_.out_channels - first_channel);
    for (std::int64_t row = 0; row < gradient_tile; ++row) {
      const std::int64_t at = element(block, row);
      if (at >= of_channel) return;
      for (std::int64_t o = 0; o < channels; ++o) dw[(first_channel + o) * of_channel + at] = scale * tile[row * gradient_tile + o];
    }
  }

  void (*run_)(const WeightGradient&);
  std::string description_;
  Window window_;
  WeightGradient g_{};
  std::int64_t taps_;
  bool together_ = false;
  std::vector<GradientPlane> planes_;
  std::vector<std::int32_t> block_starts_;
  std::int64_t rows_of_call_ = 1, images_of_call_ = 1, images_of_piece_ = 1, pieces_ = 1;
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
    g_.narrow = w.out_channels <= gradient_tile;
    // A row's padding on the right is the next one's on the left; plane 1 of a narrow one begins a pixel before.
    g_.pitch = std::max(std::max<std::int64_t>(before, g_.narrow ? 1 : 0) + w.out_width, right);
    g_.first_position = 1 + above * g_.pitch + before;
    // The last block of positions may begin with the last row's last position.
    g_.plane_positions = g_.first_position + (std::max(bottom, w.out_height) + 1) * g_.pitch + 2 * gradient_tile;
    for (std::int64_t row = 0; row < w.stride_h; ++row) {
      for (std::int64_t column = 0; column < w.stride_w; ++column) {
        Part& part = parts_.emplace_back();
        const auto rows = std::find_if(of_rows.begin(), of_rows.end(), [&](const Phase& phase) { return phase.first == row; });
        const auto columns = std::find_if(of_columns.begin(), of_columns.end(), [&](const Phase& phase) { return phase.first == column; });
        if (rows == of_rows.end() || columns == of_columns.end()) continue;
        if (g_.narrow) {
          add_narrow_steps(*rows, *columns, part);
        } else {
          add_steps(*rows, *columns, part);
        }
      }
    }
  }

  void run(const Arguments& a) override {
    const Window& w = window_;
    std::byte* memory = a.scratch;
    auto* weights = reinterpret_cast<std::uint16_t*>(take(memory, weights_bytes()));
    auto* scale = reinterpret_cast<float*>(take(memory, scale_bytes()));
    std::vector<InputPart> parts;
    for (const Part& part : parts_) {
      parts.push_back({weights, part.rows.data(), count(part.rows)});
      pack(part, a.operands[0], *a.operands[2].as<std::int32_t>(), weights, a.threads);
      weights += count(part.tiles) * panels() * tile_bfloats;
    }
    for (std::int64_t o = 0; o < w.out_channels; ++o) scale[o] = a.operands[1].as<float>()[a.operands[1].count() == 1 ? 0 : o];
    std::fill(scale + w.out_channels, scale + whole(w.out_channels, gradient_depth), 0.0F);
    const auto team = static_cast<int>(std::min<std::int64_t>({a.threads, max_threads, w.images}));
#pragma omp parallel num_threads(team) if (team > 1)
    {
      InputGradient g = g_;
      std::byte* own = memory + thread_bytes() * static_cast<std::size_t>(omp_get_thread_num());
      g.planes = reinterpret_cast<std::uint16_t*>(take(own, planes_bytes()));
      g.turned = reinterpret_cast<float*>(own);
      g.scale = scale;
      g.parts = parts.data();
      std::memset(g.planes, 0, planes_bytes());
#pragma omp for schedule(static)
      for (std::int64_t image = 0; image < w.images; ++image) {
        g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
        g.dx = a.results[0].as<float>() + image * w.in_channels * w.in_height * w.in_width;
        run_(g);
      }
    }
  }

  std::size_t scratch_bytes() const override {
    return whole_lines(weights_bytes()) + whole_lines(scale_bytes()) + max_threads * thread_bytes();
  }
  std::string_view description() const override {
    return description_;
  }

 private:
  static constexpr std::int64_t tile_bfloats = gradient_tile * gradient_depth;

  // 16 channels of dy of a kernel position; none where kw is -1.
  struct Half {
    std::int64_t kh, kw, first_channel;
  };
  struct Part {
    std::vector<std::pair<Half, Half>> tiles;
    std::vector<std::int32_t> rows;
  };

  template <class T>
  static std::int64_t count(const std::vector<T>& values) {
    return static_cast<std::int64_t>(values.size());
  }
  std::int64_t panels() const {
    return quotient_up(window_.in_channels, gradient_tile);
  }
  std::int64_t planes() const {
    return g_.narrow ? 2 : gradient_parts * quotient_up(window_.out_channels, gradient_depth);
  }
  std::size_t scale_bytes() const {
    return static_cast<std::size_t>(whole(window_.out_channels, gradient_depth)) * sizeof(float);
  }
  std::size_t planes_bytes() const {
    return static_cast<std::size_t>(planes() * g_.plane_positions * gradient_depth) * sizeof(std::uint16_t);
  }
  std::size_t thread_bytes() const {
    return whole_lines(planes_bytes()) + whole_lines(static_cast<std::size_t>(input_gradient_floats(g_.stride_w)) * sizeof(float));
  }
  std::size_t weights_bytes() const {
    std::int64_t tiles = 0;
    for (const Part& part : parts_) tiles += count(part.tiles);
    return static_cast<std::size_t>(tiles * panels() * tile_bfloats) * sizeof(std::uint16_t);
  }

  // The row of dy, in a plane, that the first pixel of a part reads.
  std::int32_t row(std::int64_t plane, std::int64_t row_shift, std::int64_t column_shift) const {
    return static_cast<std::int32_t>(plane * g_.plane_positions + g_.first_position + row_shift * g_.pitch + column_shift);
  }

  void add_steps(const Phase& rows, const Phase& columns, Part& part) const {
    for (std::size_t r = 0; r < rows.kernel.size(); ++r) {
      for (std::size_t c = 0; c < columns.kernel.size(); ++c) {
        for (std::int64_t channel = 0; channel < window_.out_channels; channel += gradient_depth) {
          const Half first{rows.kernel[r], columns.kernel[c], channel};
          const Half second{rows.kernel[r], columns.kernel[c], channel + gradient_tile};
          part.rows.push_back(row(gradient_parts * (channel / gradient_depth), rows.shift[r], columns.shift[c]));
          part.tiles.emplace_back(first, second);
        }
      }
    }
  }

  // Two parts of a kernel position together, and then the third of two neighbouring ones.
  void add_narrow_steps(const Phase& rows, const Phase& columns, Part& part) const {
    const auto add = [&](std::int32_t at, const Half& first, const Half& second) {
      part.rows.push_back(at);
      part.tiles.emplace_back(first, second);
    };
    for (std::size_t r = 0; r < rows.kernel.size(); ++r) {
      for (std::size_t c = 0; c < columns.kernel.size(); ++c) {
        const Half half{rows.kernel[r], columns.kernel[c], 0};
        add(row(0, rows.shift[r], columns.shift[c]), half, half);
      }
      for (std::size_t c = 0; c < columns.kernel.size(); ++c) {
        const bool both = c + 1 < columns.kernel.size() && columns.shift[c + 1] == columns.shift[c] + 1;
        add(row(1, rows.shift[r], columns.shift[c]), {rows.kernel[r], columns.kernel[c], 0},
            {rows.kernel[r], both ? columns.kernel[c + 1] : -1, 0});
        if (both) ++c;
      }
    }
  }

  // As bfloat16s, exactly; 0 where channels or kernel positions end.
  void pack(const Part& part, const ir::TensorView& q, std::int32_t zero_point, std::uint16_t* packed, int threads) const {
    const Window& w = window_;
    const bool is_signed = q.type.dtype == ir::DType::s8;
    std::array<std::uint16_t, 256> bfloat{};
    for (int byte = 0; byte < 256; ++byte) {
      const auto value = static_cast<float>((is_signed && byte > 127 ? byte - 256 : byte) - zero_point);
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof bits);
      bfloat[static_cast<std::size_t>(byte)] = static_cast<std::uint16_t>(bits >> 16U);
    }
    const std::int64_t taps = w.kernel_height * w.kernel_width;
    const auto pack_half = [&](const Half& half, std::int64_t first_in, std::uint16_t* to) {
      const std::int64_t out = half.kw < 0 ? 0 : std::clamp<std::int64_t>(w.out_channels - half.first_channel, 0, gradient_tile);
      const std::int64_t in = std::min(w.in_channels - first_in, gradient_tile);
      for (std::int64_t o = 0; o < out; ++o) {
        const std::uint8_t* from =
            q.as<std::uint8_t>() + ((half.first_channel + o) * w.in_channels + first_in) * taps + half.kh * w.kernel_width + half.kw;
        for (std::int64_t c = 0; c < in; ++c) to[o * gradient_depth + 2 * c] = bfloat[from[c * taps]];
      }
    };
    const std::int64_t of_panel = count(part.tiles) * tile_bfloats;
    if (of_panel == 0) return;
    for_pieces(panels(), 1, std::max<std::int64_t>(1, elements_of_piece / of_panel), threads, [&](std::int64_t first, std::int64_t last) {
      std::uint16_t* to = packed + first * of_panel;
      std::fill(to, packed + last * of_panel, std::uint16_t{0});
      for (std::int64_t panel = first; panel < last; ++panel) {
        for (const auto& [half, other] : part.tiles) {
          pack_half(half, panel * gradient_tile, to);
          pack_half(other, panel * gradient_tile, to + 1);
          to += tile_bfloats;
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
      WeightGradientKernel::fits(WeightGradientKernel::window(graph, reader), one_scale)) {
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
