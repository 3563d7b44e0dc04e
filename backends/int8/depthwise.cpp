#include "backends/int8/depthwise.h"

#include <algorithm>
#include <cstring>

#include "backends/int8/memory.h"
#include "backends/parallel_for.h"

namespace stair::backends::int8 {

namespace {

constexpr std::int64_t copied_depthwise_bytes = 24 * 1024;    // of a tile: it stays in the first-level cache
constexpr std::int64_t least_depthwise_products = 1'000'000;  // what a thread must have to do before waking another pays

}  // namespace

DepthwiseConvolution::DepthwiseConvolution(const Kernels& kernels, const Window& window, bool signed_input)
    : kernels_(kernels), window_(window), copy_{window, signed_input != kernels.signed_activations} {
  const Window& w = window_;
  // Interleaving a chunk takes about as long as 8 dot products; results that share it share that.
  double least = 0;
  for (const std::int64_t pixels : {1, 2, 4}) {
    const std::int64_t span = (pixels - 1) * w.stride_w + (w.kernel_width - 1) * w.dilation_w + 1;
    const std::int64_t chunks = quotient_up(span, 4);
    const double cost = static_cast<double>(chunks * std::max<std::int64_t>(8, 4 + 2 * pixels)) / static_cast<double>(pixels);
    if (pixels > 1 && cost >= least) continue;
    least = cost;
    pixels_ = pixels;
    chunks_ = chunks;
  }
  const std::int64_t block = 4 * kernels.panel;
  packed_bytes_ = static_cast<std::size_t>(quotient_up(w.in_channels, block) * w.kernel_height * chunks_ * pixels_ * block * 4);
  copy_.columns = (w.out_width - 1) * w.stride_w + (w.kernel_width - 1) * w.dilation_w + 1;
  const std::int64_t taps_height = (w.kernel_height - 1) * w.dilation_h;
  tile_rows_ = std::clamp<std::int64_t>((copied_depthwise_bytes / copy_.row_bytes() - taps_height) / w.stride_h, 1, w.out_height);
  copy_.plane_rows = (tile_rows_ - 1) * w.stride_h + taps_height + 1;
  for (std::int64_t kh = 0; kh < w.kernel_height; ++kh) row_offsets_.push_back(static_cast<std::int32_t>(copy_.offset(kh * w.dilation_h)));
  const std::int64_t slack = (4 * chunks_ + 4 * w.stride_w) * w.in_channels + block;
  scratch_bytes_ = whole_lines(static_cast<std::size_t>(copy_.plane_rows * copy_.row_bytes() + slack));
}

void DepthwiseConvolution::pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset,
                                int /*threads*/) const {
  const Window& w = window_;
  const std::int64_t panel = kernels_.panel;
  const auto z = static_cast<std::uint32_t>(copy_.zero_point(zero_point, kernels_.signed_activations));
  std::memset(packed, 0, packed_bytes_);
  for (std::int64_t c = 0; c < w.in_channels; ++c) {
    const std::int8_t* kernel = weights + c * w.kernel_height * w.kernel_width;
    const std::int64_t in_block = c % (4 * panel);
    const std::int64_t lane = in_block / 16 * 4 + in_block % 4;
    const std::int64_t quarter = in_block % 16 / 4;
    std::int32_t sum = 0;
    for (std::int64_t kh = 0; kh < w.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < w.kernel_width; ++kw) {
        const std::int8_t value = kernel[kh * w.kernel_width + kw];
        sum += value;
        for (std::int64_t pixel = 0; pixel < pixels_; ++pixel) {
          const std::int64_t at = pixel * w.stride_w + kw * w.dilation_w;
          const std::int64_t chunk = ((c / (4 * panel) * w.kernel_height + kh) * chunks_ + at / 4) * pixels_ + pixel;
          packed[((chunk * 4 + quarter) * panel + lane) * 4 + at % 4] = value;
        }
      }
    }
    offset[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(offset[c]) - z * static_cast<std::uint32_t>(sum));
  }
}

void DepthwiseConvolution::run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue,
                               std::byte* result, const std::uint8_t* other, std::byte* scratch, int threads) const {
  const Window& w = window_;
  const std::int64_t products = w.images * w.out_height * w.out_width * w.in_channels * w.kernel_height * w.kernel_width;
  const auto team = static_cast<int>(std::clamp<std::int64_t>(products / least_depthwise_products, 1, threads));
  const std::int64_t tiles = quotient_up(w.out_height, tile_rows_);
  const std::int64_t bytes = epilogue.rescale == Rescale::none || epilogue.rescale == Rescale::logits ? 4 : 1;
  parallel_for(w.images * tiles, team, [&](std::int64_t item, int slot) {
    const std::int64_t image = item / tiles;
    const std::int64_t first_row = item % tiles * tile_rows_;
    auto* rows = reinterpret_cast<std::uint8_t*>(scratch + scratch_bytes_ * static_cast<std::size_t>(slot));
    Depthwise d{};
    d.lines = std::min(tile_rows_, w.out_height - first_row);
    copy_.copy(input, image, first_row, d.lines, static_cast<std::uint8_t>(copy_.zero_point(zero_point, kernels_.signed_activations)),
               rows);
    d.activations = rows;
    d.columns = w.out_width;
    d.line_stride = w.stride_h * copy_.row_bytes();
    d.pixel_stride = w.stride_w * w.in_channels;
    d.tap_stride = w.in_channels;
    d.row_offsets = row_offsets_.data();
    d.rows = w.kernel_height;
    d.chunks = chunks_;
    d.pixels = pixels_;
    d.weights = packed;
    d.channels = d.all_channels = w.in_channels;
    d.epilogue = &epilogue;
    const std::int64_t first = (image * w.out_height + first_row) * w.out_width * w.out_channels;
    d.to = result + first * bytes;
    d.other = other == nullptr ? nullptr : other + first;
    kernels_.depthwise(d);
  });
}

}  // namespace stair::backends::int8
