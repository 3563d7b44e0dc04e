#include "backends/int8/convolution.h"

#include <algorithm>
#include <cstring>

#include "backends/int8/memory.h"
#include "backends/int8/pack.h"
#include "backends/int8/transpose.h"
#include "backends/parallel_for.h"

namespace stair::backends::int8 {

namespace {

constexpr std::int64_t channel_piece = 64;           // pieces that threads share out begin at multiples of it
constexpr std::int64_t copied_bytes = 128 * 1024;    // of a tile: it shares the second-level cache with the weights
constexpr std::int64_t group_bytes = 4;              // dot products of 4
constexpr std::int64_t least_products = 4'000'000;   // what a thread must have to do before waking another pays
constexpr std::int64_t least_streamed = 384 * 1024;  // weights a thread: each then keeps its part in its own cache
constexpr std::int64_t least_packed = 32'768;        // weights for which waking another thread pays
constexpr std::int64_t slack_rows = 32;              // see Product::slack
constexpr std::int64_t transposed_groups = 64;       // of a panel's channels that are transposed at once, in the first-level cache
constexpr std::int64_t most_panel = 16;

// A 1x1 convolution over pixels that are neighbours is one over a single column of pixels, whatever the images.
Window normalized(Window w) {
  const bool pointwise = w.kernel_height == 1 && w.kernel_width == 1 && w.stride_h == 1 && w.stride_w == 1 && w.top == 0 && w.left == 0 &&
                         w.out_height == w.in_height && w.out_width == w.in_width;
  if (!pointwise) return w;
  w.in_height = w.out_height = w.images * w.in_height * w.in_width;
  w.images = w.in_width = w.out_width = 1;
  return w;
}

std::int64_t result_bytes(const Epilogue& epilogue) {
  return epilogue.rescale == Rescale::none || epilogue.rescale == Rescale::logits ? 4 : 1;
}

}  // namespace

Convolution::Convolution(const Kernels& kernels, const Window& window, bool signed_input, int weight_bits, bool channels_first)
    : kernels_(kernels),
      window_(normalized(window)),
      copy_{window_, signed_input != kernels.signed_activations},
      weight_bits_(weight_bits),
      plane_(channels_first ? window.out_height * window.out_width : 0) {
  const Window& w = window_;
  joined_ = w.dilation_w == 1 && w.groups == 1;
  runs_ = joined_ ? w.kernel_height : w.kernel_height * w.kernel_width;
  run_bytes_ = joined_ ? w.kernel_width * w.in_channels : w.group_in();
  const Depth depth(run_bytes_);
  groups_per_step_ = depth.groups_per_step;
  groups_ = depth.groups;
  panels_ = quotient_up(w.group_out(), kernels.panel);
  packed_bytes_ = static_cast<std::size_t>(w.groups * panels_ * panel_bytes());

  // A kernel of one row or column reads each stride-th only: only those are copied.
  copy_.row_step = w.kernel_height == 1 ? w.stride_h : 1;
  copy_.column_step = w.kernel_width == 1 ? w.stride_w : 1;
  const std::int64_t last_row = w.in_row(w.out_height - 1, w.kernel_height - 1);
  const std::int64_t last_column = w.in_column(w.out_width - 1, w.kernel_width - 1);
  const bool padded = w.top > 0 || w.left > 0 || last_row >= w.in_height || last_column >= w.in_width;
  in_place_ = !padded && !copy_.flip && run_bytes_ == groups_ * group_bytes && !(kernels.tiles && w.stride_w > 1);

  const std::int64_t stride_h = w.stride_h / copy_.row_step;
  const std::int64_t stride_w = w.stride_w / copy_.column_step;
  const std::int64_t taps_height = (w.kernel_height - 1) * w.dilation_h;
  copy_.planes = in_place_ ? 1 : stride_h;
  copy_.columns =
      in_place_ ? w.in_width : quotient_up((w.out_width - 1) * stride_w + (w.kernel_width - 1) * w.dilation_w + 1, stride_w) * stride_w;
  const std::int64_t row_bytes = copy_.columns * w.in_channels;
  tile_rows_ = std::clamp<std::int64_t>((copied_bytes / row_bytes - taps_height) / stride_h, 1, w.out_height);
  copy_.plane_rows = ((tile_rows_ - 1) * stride_h + taps_height) / stride_h + 1;
  if (!in_place_) {
    const std::int64_t slack = slack_rows * stride_w * w.in_channels + groups_ * group_bytes;
    scratch_bytes_ = static_cast<std::size_t>(quotient_up(copy_.planes * copy_.plane_rows * row_bytes + slack, 64) * 64);
  }
  for (std::int64_t kh = 0; kh < w.kernel_height; ++kh) {
    const std::int64_t row = kh * w.dilation_h;
    const std::int64_t begin = in_place_ ? row * row_bytes : copy_.offset(row);
    for (std::int64_t kw = 0; kw < (joined_ ? 1 : w.kernel_width); ++kw) {
      run_offsets_.push_back(static_cast<std::int32_t>(begin + kw * w.dilation_w * w.in_channels));
    }
  }
}

std::int64_t Convolution::panel_bytes() const {
  return kernels_.panel * runs_ * quotient_up(groups_, 8 / weight_bits_) * group_bytes;
}

void Convolution::copy_run(const std::int8_t* weights, std::int64_t run, std::int64_t first, std::int64_t groups, std::int8_t* to) const {
  const std::int64_t taps = window_.kernel_height * window_.kernel_width;
  const std::int64_t in = window_.group_in();
  const std::int64_t end = std::min(run_bytes_, (first + groups) * group_bytes);
  std::int8_t* const begin = to;
  for (std::int64_t k = first * group_bytes; k < end;) {
    const std::int64_t some = std::min(end - k, in - k % in);  // of one tap
    const std::int8_t* from = weights + k % in * taps + (joined_ ? run * window_.kernel_width + k / in : run);
    if (taps == 1) {
      std::memcpy(to, from, static_cast<std::size_t>(some));
    } else {
      for (std::int64_t i = 0; i < some; ++i) to[i] = from[i * taps];
    }
    k += some;
    to += some;
  }
  std::memset(to, 0, static_cast<std::size_t>(begin + groups * group_bytes - to));
}

void Convolution::pack_wide(const std::int8_t* weights, std::int64_t channels, std::int8_t* panel) const {
  const std::int64_t count = window_.group_in() * window_.kernel_height * window_.kernel_width;  // of a channel
  const std::int64_t width = kernels_.panel;
  const auto transpose_rows = [&](const std::int8_t* rows, std::int64_t groups, std::int8_t* to) {
    const auto* words = reinterpret_cast<const std::uint32_t*>(rows);
    if (kernels_.transpose != nullptr) return kernels_.transpose(words, width, groups, reinterpret_cast<std::uint32_t*>(to));
    transpose(words, 1, width, groups, reinterpret_cast<std::uint32_t*>(to), 1);
  };
  if (channels == width && count == groups_ * group_bytes && runs_ == 1 && window_.kernel_width == 1)
    return transpose_rows(weights, groups_, panel);
  alignas(64) std::int8_t rows[most_panel * transposed_groups * group_bytes] = {};
  for (std::int64_t run = 0; run < runs_; ++run) {
    for (std::int64_t first = 0; first < groups_; first += transposed_groups) {
      const std::int64_t groups = std::min(transposed_groups, groups_ - first);
      for (std::int64_t o = 0; o < width; ++o) {
        std::int8_t* const row = rows + o * groups * group_bytes;
        if (o < channels) {
          copy_run(weights + o * count, run, first, groups, row);
        } else {
          std::memset(row, 0, static_cast<std::size_t>(groups * group_bytes));
        }
      }
      transpose_rows(rows, groups, panel);
      panel += width * groups * group_bytes;
    }
  }
}

void Convolution::pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset, int threads) const {
  const Window& w = window_;
  const std::int64_t count = w.group_in() * w.kernel_height * w.kernel_width;  // of a channel
  const std::int32_t z = copy_.zero_point(zero_point, kernels_.signed_activations);
  const std::int64_t items = w.groups * panels_;
  parallel_for(items, w.out_channels * count >= least_packed ? threads : 1, [&](std::int64_t item, int) {
    std::int8_t* const panel = packed + item * panel_bytes();
    const std::int64_t first = item / panels_ * w.group_out() + item % panels_ * kernels_.panel;
    const std::int64_t channels = std::min(kernels_.panel, (item / panels_ + 1) * w.group_out() - first);
    const std::int8_t* from = weights + first * count;
    if (weight_bits_ == 8) {
      pack_wide(from, channels, panel);
    } else {
      std::vector<std::int8_t> wide(static_cast<std::size_t>(kernels_.panel * runs_ * groups_ * group_bytes));
      pack_wide(from, channels, wide.data());
      narrow_panel(wide.data(), runs_, groups_, kernels_.panel * group_bytes, weight_bits_, panel);
    }
    std::int32_t corrections[most_panel];
    sum_rows(reinterpret_cast<const std::uint8_t*>(from), channels, count, count, true, z, corrections);
    for (std::int64_t o = 0; o < channels; ++o) {
      offset[first + o] =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(offset[first + o]) - static_cast<std::uint32_t>(corrections[o]));
    }
  });
}

void Convolution::run_piece(const Piece& piece, const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed,
                            const Epilogue& epilogue, std::byte* result, const std::uint8_t* other, std::byte* scratch) const {
  const Window& w = window_;
  Product p{};
  p.lines = piece.rows;
  p.columns = w.out_width;
  p.row_stride = (in_place_ ? w.stride_w : w.stride_w / copy_.column_step) * w.in_channels;
  p.line_stride = (in_place_ ? w.stride_h : 1) * copy_.columns * w.in_channels;
  if (p.line_stride == p.columns * p.row_stride) {  // lines that join are one
    p.columns *= p.lines;
    p.lines = 1;
    p.line_stride = p.columns * p.row_stride;
  }
  p.slack = !in_place_;
  if (in_place_) {
    p.activations = input + (piece.image * w.in_height + piece.first_row * w.stride_h) * w.in_width * w.in_channels;
  } else {
    auto* rows = reinterpret_cast<std::uint8_t*>(scratch);
    copy_.copy(input, piece.image, piece.first_row, piece.rows,
               static_cast<std::uint8_t>(copy_.zero_point(zero_point, kernels_.signed_activations)), rows);
    p.activations = rows;
  }
  p.run_offsets = run_offsets_.data();
  p.runs = runs_;
  p.groups = groups_;
  p.groups_per_step = groups_per_step_;
  p.weight_bits = weight_bits_;
  p.epilogue = &epilogue;
  const std::int64_t bytes = result_bytes(epilogue);
  const std::int64_t pixel = (piece.image * w.out_height + piece.first_row) * w.out_width;
  p.to_stride = w.out_channels * bytes;
  p.other_stride = w.out_channels;
  p.plane = plane_;
  // Channels of a piece are whole groups, or a part of the only one.
  for (std::int64_t done = 0; done < piece.channels; done += p.channels) {
    const std::int64_t channel = piece.first_channel + done;
    const std::int64_t group = channel / w.group_out();
    const std::int64_t in_group = channel % w.group_out();
    p.weights = packed + (group * panels_ + in_group / kernels_.panel) * panel_bytes();
    p.first_channel = channel;
    p.channels = std::min(piece.channels - done, w.group_out() - in_group);
    p.to = result + (plane_ > 0 ? channel * plane_ + pixel : pixel * w.out_channels + channel) * bytes;
    p.other = other == nullptr ? nullptr : other + pixel * w.out_channels + channel;
    kernels_.product(p);
    p.activations += w.group_in();
  }
}

void Convolution::run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue,
                      std::byte* result, const std::uint8_t* other, std::byte* scratch, int threads) const {
  const Window& w = window_;
  const std::int64_t products = w.images * w.out_height * w.out_width * w.out_channels * runs_ * run_bytes_;
  const std::int64_t worth =
      std::max(products / least_products, static_cast<std::int64_t>(packed_bytes_) * 8 / weight_bits_ / least_streamed);
  const std::int64_t team = std::clamp<std::int64_t>(worth, 1, threads);

  // Threads share out the rows; where the weights are the larger part, the channels, so that each reads its part of them alone.
  const std::int64_t input_bytes = w.images * w.in_height * w.in_width * w.in_channels;
  const bool by_channels = team > 1 && w.groups == 1 && static_cast<std::int64_t>(packed_bytes_) > input_bytes;
  const std::int64_t channels =
      by_channels ? quotient_up(quotient_up(w.out_channels, team), channel_piece) * channel_piece : w.out_channels;
  const std::int64_t parts = quotient_up(w.out_channels, channels);
  std::int64_t tiles = quotient_up(w.out_height, tile_rows_);
  if (!by_channels && w.images % team != 0) tiles = quotient_up(tiles, team) * team;
  const std::int64_t rows = quotient_up(w.out_height, tiles);
  tiles = quotient_up(w.out_height, rows);

  const auto piece = [&](std::int64_t item) {
    const std::int64_t part = item % parts;
    const std::int64_t tile = item / parts % tiles;
    return Piece{item / parts / tiles, tile * rows, std::min(rows, w.out_height - tile * rows), part * channels,
                 std::min(channels, w.out_channels - part * channels)};
  };
  const std::int64_t items = w.images * tiles * parts;
  parallel_for(items, static_cast<int>(team), [&](std::int64_t item, int slot) {
    std::byte* own = scratch + scratch_bytes_ * static_cast<std::size_t>(slot);
    run_piece(piece(item), input, zero_point, packed, epilogue, result, other, own);
  });
}

}  // namespace stair::backends::int8
