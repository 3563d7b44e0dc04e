#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "backends/int8/for_ranges.h"
#include "backends/int8/gradients.h"
#include "backends/int8/memory.h"
#include "backends/int8/variant_kernel.h"
#include "backends/multiversion.h"

namespace stair::backends::int8 {
namespace {

/// The weights' gradient. Where its operands lie among the group's: q, scale, zero point, dy.
class WeightGradientKernel : public VariantKernel {
 public:
  WeightGradientKernel(const Kernels& kernels, const Window& w, bool is_signed)
      : VariantKernel(kernels, gradient_description), run_(kernels.weight_gradient), window_(w), taps_(w.kernel_height * w.kernel_width) {
    g_.is_signed = is_signed;
    g_.image_bytes = w.in_channels * w.in_height * w.in_width;
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
    group_ = group_of(w);
    groups_ = quotient_up(w.in_channels, group_);
    add_planes(w);
    share_out(w);
  }

  void run(const Arguments& a) override {
    const Window& w = window_;
    auto* sums = reinterpret_cast<float*>(a.scratch);
    const std::int64_t items = pieces_ * groups_;
    parallel_for(items, a.threads, [&](std::int64_t item, int slot) {
      const std::int64_t piece = item / groups_;
      const std::int64_t first_channel = item % groups_ * group_;
      WeightGradient g = g_;
      std::byte* memory =
          a.scratch + static_cast<std::size_t>(pieces_ * sums_floats()) * sizeof(float) + thread_bytes() * static_cast<std::size_t>(slot);
      g.padded = reinterpret_cast<std::uint16_t*>(take(memory, padded_bytes()));
      g.parts = reinterpret_cast<std::uint16_t*>(take(memory, parts_bytes()));
      g.inputs = reinterpret_cast<std::uint16_t*>(memory);
      g.planes = planes_.data();
      g.block_starts = block_starts_.data();
      g.zero_point = *a.operands[2].as<std::int32_t>();
      g.in_channels = std::min(group_, w.in_channels - first_channel);
      g.blocks = blocks_of(g.in_channels);
      g.sums = sums + piece * sums_floats() + first_channel / group_ * blocks_of(group_) * out_blocks() * gradient_sums;
      std::fill_n(g.sums, g.blocks * out_blocks() * gradient_sums, 0.0F);
      const std::int64_t end = std::min(w.images, (piece + 1) * images_of_piece_);
      for (std::int64_t image = piece * images_of_piece_; image < end; image += images_of_call_) {
        g.images = std::min(images_of_call_, end - image);
        g.q = a.operands[0].as<std::uint8_t>() + image * g.image_bytes + first_channel * w.in_height * w.in_width;
        g.dy = a.operands[3].as<float>() + image * w.out_channels * w.out_height * w.out_width;
        for (g.first_row = 0; g.first_row < w.out_height; g.first_row += rows_of_call_) {
          g.rows = std::min(rows_of_call_, w.out_height - g.first_row);
          run_(g);
        }
      }
    });
    finish(sums, *a.operands[1].as<float>(), a.results[0].as<float>(), a.threads);
  }

  std::size_t scratch_bytes(int threads) const override {
    return static_cast<std::size_t>(pieces_ * sums_floats()) * sizeof(float) + static_cast<std::size_t>(threads) * thread_bytes();
  }

 private:
  static constexpr std::int64_t conflicting_positions = 512;  // rows of a tile so far apart fall on few sets of the cache
  static constexpr std::int64_t least_items = 8;              // for so many threads
  static constexpr std::int64_t pixels_a_call = 512;          // of dy, of an image that is cut
  static constexpr std::int64_t least_pixels = 512;           // of dy, of a piece
  static constexpr std::int64_t copied_bytes = 512 << 10;     // of some images' channels
  static constexpr std::int64_t sums_bytes = 576 << 10;       // of these channels: both stay in the second-level cache
  static constexpr std::int64_t bfloat_bytes = 2;

  std::int64_t out_blocks() const { return quotient_up(window_.out_channels, gradient_tile); }
  // Blocks of a group of channels, which begins with a block.
  std::int64_t blocks_of(std::int64_t channels) const {
    return together_ ? quotient_up(channels * taps_, gradient_tile) : quotient_up(channels, gradient_tile) * taps_;
  }
  std::int64_t blocks() const { return blocks_of(window_.in_channels); }
  std::int64_t sums_floats() const { return blocks() * out_blocks() * gradient_sums; }
  std::size_t padded_bytes() const { return static_cast<std::size_t>(g_.lines * g_.line_pixels * bfloat_bytes); }
  std::size_t parts_bytes() const {
    return static_cast<std::size_t>(gradient_steps * gradient_parts * gradient_depth * gradient_tile * bfloat_bytes);
  }
  std::size_t inputs_bytes() const {  // a block's rows may end behind the last channel
    const std::int64_t behind = gradient_tile * g_.row_stride + g_.channel_positions + gradient_depth;
    return static_cast<std::size_t>((images_of_call_ * g_.image_positions + behind) * bfloat_bytes);
  }
  std::size_t thread_bytes() const { return whole_lines(padded_bytes()) + whole_lines(parts_bytes()) + whole_lines(inputs_bytes()); }

  // Rows that nearly fill whole lines are padded to them: kernel positions then share planes.
  static std::int64_t pitch_of(const Window& w) {
    const std::int64_t padded = whole(w.out_width, gradient_tile);
    return w.kernel_height > 1 && 7 * padded <= 8 * w.out_width ? padded : w.out_width;
  }

  // Multiples of 16 channels; that their sums stay in a cache pays for reading dy once for each group.
  std::int64_t group_of(const Window& w) const {
    const std::int64_t of_tile = taps_ * out_blocks() * gradient_sums * static_cast<std::int64_t>(sizeof(float));
    return std::min(w.in_channels, std::max<std::int64_t>(1, sums_bytes / of_tile) * gradient_tile);
  }

  // An item is a piece of the batch by a group of channels. Pieces follow from the shapes, whatever the threads; each has sums of its own,
  // and these are added in order (N-REPEAT).
  void share_out(const Window& w) {
    const std::int64_t pixels = w.images * w.out_height * w.out_width;
    const std::int64_t wanted = std::min(quotient_up(least_items, groups_), pixels / least_pixels);
    images_of_piece_ = quotient_up(w.images, std::clamp<std::int64_t>(wanted, 1, w.images));
    pieces_ = quotient_up(w.images, images_of_piece_);
    const std::int64_t of_image = g_.image_positions * bfloat_bytes;
    images_of_call_ = rows_of_call_ < w.out_height ? 1 : std::clamp<std::int64_t>(copied_bytes / of_image, 1, images_of_piece_);
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
    g_.image_positions = group_ * g_.channel_positions;
    // Rows of a block are planes, from channel to channel; where some are shared, the same tap's of 16 channels.
    together_ = g_.plane_count == taps_;
    if (together_) {
      g_.row_stride = size;
      for (std::int64_t block = 0; block < blocks_of(group_); ++block)
        block_starts_.push_back(static_cast<std::int32_t>(block * gradient_tile * size));
    } else {
      g_.row_stride = g_.channel_positions;
      for (std::int64_t block = 0; block < blocks_of(group_); ++block) {
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

  // dw = scale * the sum over pieces. Blocks whose elements share the cache lines of dw follow each other.
  void finish(const float* sums, float scale, float* dw, int threads) const {
    const std::int64_t neighbours = together_ ? 1 : taps_;
    for_ranges(blocks(), neighbours, std::max<std::int64_t>(1, elements_of_piece / (out_blocks() * gradient_sums)), threads,
               [&](std::int64_t first, std::int64_t last) {
                 for (; first < last; first += neighbours) {
                   for (std::int64_t out = 0; out < out_blocks(); ++out) {
                     for (std::int64_t block = first; block < first + neighbours; ++block) {
                       float tile[gradient_sums];
                       add_pieces(sums + (block * out_blocks() + out) * gradient_sums, scale, tile);
                       store_tile(tile, block, out * gradient_tile, dw);
                     }
                   }
                 }
               });
  }

  void add_pieces(const float* sums, float scale, float* tile) const {
    std::memcpy(tile, sums, gradient_sums * sizeof(float));
    for (std::int64_t piece = 1; piece < pieces_; ++piece) {
      const float* more = sums + piece * sums_floats();
      STAIR_SIMD
      for (std::int64_t i = 0; i < gradient_sums; ++i) tile[i] += more[i];
    }
    STAIR_SIMD
    for (std::int64_t i = 0; i < gradient_sums; ++i) tile[i] *= scale;
  }

  void store_tile(const float* tile, std::int64_t block, std::int64_t first_channel, float* dw) const {
    const std::int64_t of_channel = window_.in_channels * taps_;
    const std::int64_t channels = std::min(gradient_tile, window_.out_channels - first_channel);
    std::int64_t rows = 0;
    std::int64_t at[gradient_tile];
    while (rows < gradient_tile && element(block, rows) < of_channel) {
      at[rows] = element(block, rows);
      ++rows;
    }
    for (std::int64_t o = 0; o < channels; ++o) {
      float* to = dw + (first_channel + o) * of_channel;
      for (std::int64_t row = 0; row < rows; ++row) to[at[row]] = tile[row * gradient_tile + o];
    }
  }

  void (*run_)(const WeightGradient&);
  Window window_;
  WeightGradient g_{};
  std::int64_t taps_;
  bool together_ = false;
  std::vector<GradientPlane> planes_;
  std::vector<std::int32_t> block_starts_;
  std::int64_t group_ = 1, groups_ = 1;  // of input channels
  std::int64_t rows_of_call_ = 1, images_of_call_ = 1, images_of_piece_ = 1, pieces_ = 1;
};

}  // namespace

bool weight_gradient_fits(const Kernels& kernels, const Window& w) {
  constexpr std::int64_t most_pixels = 4096;  // of a row
  return kernels.weight_gradient != nullptr && w.groups == 1 && w.out_channels >= least_gradient_channels &&
         w.in_channels * w.kernel_height * w.kernel_width >= gradient_tile && w.out_width <= most_pixels;
}

std::unique_ptr<Kernel> weight_gradient(const Kernels& kernels, const Window& window, bool is_signed) {
  return std::make_unique<WeightGradientKernel>(kernels, window, is_signed);
}

}  // namespace stair::backends::int8
