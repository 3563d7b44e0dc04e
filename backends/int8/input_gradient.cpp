#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "backends/int8/for_ranges.h"
#include "backends/int8/gradients.h"
#include "backends/int8/memory.h"
#include "backends/int8/variant_kernel.h"
#include "backends/strided_subconvolutions.h"

namespace stair::backends::int8 {
namespace {

// How far before the first position of dy, and behind pixel i, the phases read.
std::pair<std::int64_t, std::int64_t> reach(const std::vector<StridedSubconvolution>& all) {
  std::int64_t before = 0;
  std::int64_t end = 0;
  for (const StridedSubconvolution& phase : all) {
    for (const std::int64_t shift : phase.shift) {
      before = std::max(before, -shift);
      end = std::max(end, shift + phase.pixels);
    }
  }
  return {before, end};
}

/// The input's gradient. Where its operands lie among the group's: q, scale, zero point, dy.
class InputGradientKernel : public VariantKernel {
 public:
  // Whether an image's planes lie in a cache.
  bool fits() const { return g_.plane_positions <= most_positions; }

  InputGradientKernel(const Kernels& kernels, const Window& w)
      : VariantKernel(kernels, gradient_description), run_(kernels.input_gradient), window_(w) {
    const std::vector<StridedSubconvolution> of_rows =
        strided_subconvolutions(w.in_height, w.kernel_height, w.stride_h, w.top, w.dilation_h);
    const std::vector<StridedSubconvolution> of_columns =
        strided_subconvolutions(w.in_width, w.kernel_width, w.stride_w, w.left, w.dilation_w);
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
        const auto rows =
            std::find_if(of_rows.begin(), of_rows.end(), [&](const StridedSubconvolution& phase) { return phase.first == row; });
        const auto columns =
            std::find_if(of_columns.begin(), of_columns.end(), [&](const StridedSubconvolution& phase) { return phase.first == column; });
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
    const auto team = static_cast<int>(std::min<std::int64_t>({a.threads, most_threads, w.images}));
    std::array<bool, most_threads> cleared{};  // the planes of a slot: what lies around the gradients stays 0
    parallel_for(w.images, team, [&](std::int64_t image, int slot) {
      InputGradient g = g_;
      std::byte* own = memory + thread_bytes() * static_cast<std::size_t>(slot);
      g.planes = reinterpret_cast<std::uint16_t*>(take(own, planes_bytes()));
      g.transposed = reinterpret_cast<float*>(own);
      g.scale = scale;
      g.parts = parts.data();
      bool& clear = cleared[static_cast<std::size_t>(slot)];
      if (!clear) std::memset(g.planes, 0, planes_bytes());
      clear = true;
      g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
      g.dx = a.results[0].as<float>() + image * w.in_channels * w.in_height * w.in_width;
      run_(g);
    });
  }

  std::size_t scratch_bytes(int threads) const override {
    return whole_lines(weights_bytes()) + whole_lines(scale_bytes()) + static_cast<std::size_t>(threads) * thread_bytes();
  }

 private:
  static constexpr std::int64_t most_positions = 8192;
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
  std::int64_t panels() const { return quotient_up(window_.in_channels, gradient_tile); }
  std::int64_t planes() const { return g_.narrow ? 2 : gradient_parts * quotient_up(window_.out_channels, gradient_depth); }
  std::size_t scale_bytes() const { return static_cast<std::size_t>(whole(window_.out_channels, gradient_depth)) * sizeof(float); }
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

  void add_steps(const StridedSubconvolution& rows, const StridedSubconvolution& columns, Part& part) const {
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
  void add_narrow_steps(const StridedSubconvolution& rows, const StridedSubconvolution& columns, Part& part) const {
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
    for_ranges(panels(), 1, std::max<std::int64_t>(1, elements_of_piece / of_panel), threads, [&](std::int64_t first, std::int64_t last) {
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
  Window window_;
  InputGradient g_{};
  std::vector<Part> parts_;
};

}  // namespace

bool input_gradient_fits(const Kernels& kernels, const Window& w) {
  return kernels.input_gradient != nullptr && w.groups == 1 && std::min(w.in_channels, w.out_channels) >= least_gradient_channels &&
         InputGradientKernel(kernels, w).fits();
}

std::unique_ptr<Kernel> input_gradient(const Kernels& kernels, const Window& window) {
  return std::make_unique<InputGradientKernel>(kernels, window);
}

}  // namespace stair::backends::int8
