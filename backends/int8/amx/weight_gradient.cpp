#include "backends/int8/amx/bfloat.h"
#include "backends/int8/amx/tiles.h"
#include "backends/int8/avx512_vnni/transpose.h"
#include "backends/int8/kernels.h"

// The weights' gradient on tiles of bfloat16: 16 rows of planes of the input (by 32 pixels) by pairs of neighbouring pixels of dy (32
// pixels x 16 output channels). Four blocks of rows share what is loaded of dy.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t line_floats = 32;                        // bfloat16s of a cache line, and of a row of a tile
constexpr std::int64_t tile_bfloats = tile_rows * line_floats;  // of a tile

std::int64_t lines_up(std::int64_t count) {
  return (count + line_floats - 1) / line_floats * line_floats;
}

/// Bytes to bfloat16s of q - z.
struct Conversion {
  __m256i flip;
  __m512i zero_point;
  explicit Conversion(const WeightGradient& g)
      : flip(_mm256_set1_epi8(static_cast<char>(g.is_signed ? 0x80 : 0))),
        zero_point(_mm512_set1_epi16(static_cast<std::int16_t>(g.zero_point + (g.is_signed ? 128 : 0)))) {}

  STAIR_INLINE void row(const std::uint8_t* from, std::int64_t count, std::uint16_t* to) const {
    for (std::int64_t i = 0; i < count; i += 32) {
      const std::int64_t left = count - i;
      const __mmask32 inside = left >= 32 ? 0xFFFFFFFFU : (1U << left) - 1U;
      const __m256i bytes = _mm256_xor_si256(_mm256_maskz_loadu_epi8(inside, from + i), flip);
      const __m512i words = _mm512_sub_epi16(_mm512_cvtepu8_epi16(bytes), zero_point);
      const __m512i even = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_srai_epi32(_mm512_slli_epi32(words, 16), 16)));
      const __m512i odd = _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_srai_epi32(words, 16)));
      _mm512_mask_storeu_epi16(to + i, inside, side_by_side(even, odd));
    }
  }
};

// A channel's rows that the result's rows read, with the padding above and below; that on the sides is there.
void pad_channel(const WeightGradient& g, const std::uint8_t* channel) {
  const Conversion conversion(g);
  const std::int64_t width = g.in_width;
  const std::int64_t height = g.in_height;
  const std::int64_t lines = g.lines;
  const std::int64_t line_pixels = g.line_pixels;
  std::uint16_t* to = g.padded + g.left;
  std::int64_t h = g.first_row * g.stride_h - g.top;
  for (std::int64_t line = 0; line < lines; ++line, ++h, to += line_pixels) {
    if (h >= 0 && h < height) {
      conversion.row(channel + h * width, width, to);
    } else {
      __builtin_memset(to, 0, static_cast<std::size_t>(width) * sizeof *to);
    }
  }
}

// Every stride-th of 2 * stride * `pixels` bfloat16s.
template <int pixels, int stride>
STAIR_INLINE void copy_pixels(const std::uint16_t* from, std::uint16_t* to) {
  if constexpr (stride == 1) {
    __builtin_memcpy(to, from, pixels * sizeof *to);
  } else if constexpr (pixels == 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_cvtepi32_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
  } else {
    for (int i = 0; i < pixels; i += 16) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm512_cvtepi32_epi16(_mm512_loadu_si512(from + 2 * i)));
    }
  }
}

/// Rows of a plane; up to a line more is written.
struct Copy {
  const std::uint16_t* from;
  std::int64_t from_step;
  std::uint16_t* to;
  std::int64_t rows, width, pitch;

  template <int pixels, int stride>
  STAIR_INLINE void run() const {
    const std::uint16_t* source = from;
    std::uint16_t* target = to;
    for (std::int64_t r = rows; r > 0; --r, source += from_step, target += pitch) {
      copy_pixels<pixels, stride>(source, target);
      for (std::int64_t i = pixels; i < width; i += pixels) copy_pixels<pixels, stride>(source + stride * i, target + i);
    }
  }
  template <int stride>
  void run() const {
    if (width <= 8) {
      run<8, stride>();
    } else if (width <= 16) {
      run<16, stride>();
    } else {
      run<32, stride>();
    }
  }
  void run(std::int64_t stride) const {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t i = 0; i < pitch; ++i) to[r * pitch + i] = from[r * from_step + i * stride];
    }
  }
};

void copy_planes(const WeightGradient& g, std::uint16_t* channel) {
  for (const GradientPlane* plane = g.planes; plane < g.planes + g.plane_count; ++plane) {
    const Copy copy{g.padded + plane->row * g.line_pixels + plane->column,
                    g.stride_h * g.line_pixels,
                    channel + plane->start,
                    g.rows + plane->more_rows,
                    g.out_width,
                    g.pitch};
    if (g.stride_w == 1) {
      copy.run<1>();
    } else if (g.stride_w == 2) {
      copy.run<2>();
    } else {
      copy.run(g.stride_w);
    }
    // dy is 0 there; what it is multiplied with must be finite.
    _mm512_storeu_si512(copy.to + copy.rows * copy.pitch, _mm512_setzero_si512());
  }
}

void copy_inputs(const WeightGradient& g) {
  __builtin_memset(g.padded, 0, static_cast<std::size_t>(g.lines * g.line_pixels) * sizeof *g.padded);
  for (std::int64_t image = 0; image < g.images; ++image) {
    for (std::int64_t c = 0; c < g.in_channels; ++c) {
      pad_channel(g, g.q + image * g.image_bytes + c * g.in_height * g.in_width);
      copy_planes(g, g.inputs + image * g.image_positions + c * g.channel_positions);
    }
  }
}

/// 16 positions of a channel of dy.
struct Pixels {
  const float* from;
  std::int64_t count;  // of those that there are; maybe less than 0
};

// Behind the last row of this call there are none, but `from` goes on: to that of the next call.
Pixels pixels_of(const WeightGradient& g, std::int64_t image, std::int64_t position, std::int64_t channel) {
  const bool joined = g.pitch == g.out_width;
  const std::int64_t row = joined ? 0 : position / g.pitch;
  const std::int64_t pixel = joined ? position : row * g.out_width + position % g.pitch;
  const std::int64_t end = joined ? g.rows * g.out_width : row < g.rows ? (row + 1) * g.out_width : 0;
  return {g.dy + ((image * g.out_channels + channel) * g.out_height + g.first_row) * g.out_width + pixel, end - pixel};
}

// 32 positions of 16 channels of dy, in parts.
void split(const WeightGradient& g, std::int64_t image, std::int64_t position, std::int64_t first_channel, std::uint16_t* to) {
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t channels = g.out_channels - first_channel;
  for (const std::int64_t end = position + gradient_depth; position < end; position += 16, to += tile_bfloats / 2) {
    const auto [from, count] = pixels_of(g, image, position, first_channel);
    const __mmask16 inside = count > 0 ? first_lanes(count) : __mmask16{0};
    __m512 rows[16];
    for (int o = 0; o < 16; ++o) rows[o] = _mm512_maskz_loadu_ps(o < channels ? inside : __mmask16{0}, from + o * plane);
    transpose(rows);
    for (int i = 0; i < 8; ++i) {
      const Parts first = parts_of(rows[2 * i]);
      const Parts second = parts_of(rows[2 * i + 1]);
      for (int p = 0; p < gradient_parts; ++p) {
        _mm512_store_si512(to + p * tile_bfloats + i * line_floats, side_by_side(first.part[p], second.part[p]));
      }
    }
  }
}

/// 32 positions of 16 output channels.
struct Step {
  std::int64_t input;  // where they begin in g.inputs
  const float* next;   // dy of the step after this pass's, to be fetched meanwhile
};

STAIR_INLINE void fetch(const float* from, std::int64_t plane) {
  for (int o = 0; o < 16; ++o, from += plane) {
    _mm_prefetch(reinterpret_cast<const char*>(from), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(from + 16), _MM_HINT_T0);
  }
}

// Tiles 0 to 3: sums of the blocks; 4: a block's rows; 5 to 7: the parts of dy.
template <int blocks>
void add_blocks(const WeightGradient& g, const Step* steps, std::int64_t count, std::int64_t block, float* sums, std::int64_t sums_stride) {
  const std::int64_t plane = g.out_height * g.out_width;
  const std::uint16_t* parts = g.parts;
  const std::int64_t stride = g.row_stride * 2;
  const std::int32_t* starts = g.block_starts + block;
  _tile_loadd(0, sums, 64);
  if constexpr (blocks > 1) _tile_loadd(1, sums + sums_stride, 64);
  if constexpr (blocks > 2) _tile_loadd(2, sums + 2 * sums_stride, 64);
  if constexpr (blocks > 3) _tile_loadd(3, sums + 3 * sums_stride, 64);
  for (std::int64_t step = 0; step < count; ++step, parts += gradient_parts * tile_bfloats) {
    const std::uint16_t* inputs = g.inputs + steps[step].input;
    if (block == 0) fetch(steps[step].next, plane);
    _tile_loadd(5, parts, 64);
    _tile_loadd(6, parts + tile_bfloats, 64);
    _tile_loadd(7, parts + 2 * tile_bfloats, 64);
    _tile_loadd(4, inputs + starts[0], stride);
    _tile_dpbf16ps(0, 4, 5);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(0, 4, 7);
    if constexpr (blocks > 1) {
      _tile_loadd(4, inputs + starts[1], stride);
      _tile_dpbf16ps(1, 4, 5);
      _tile_dpbf16ps(1, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (blocks > 2) {
      _tile_loadd(4, inputs + starts[2], stride);
      _tile_dpbf16ps(2, 4, 5);
      _tile_dpbf16ps(2, 4, 6);
      _tile_dpbf16ps(2, 4, 7);
    }
    if constexpr (blocks > 3) {
      _tile_loadd(4, inputs + starts[3], stride);
      _tile_dpbf16ps(3, 4, 5);
      _tile_dpbf16ps(3, 4, 6);
      _tile_dpbf16ps(3, 4, 7);
    }
  }
  _tile_stored(0, sums, 64);
  if constexpr (blocks > 1) _tile_stored(1, sums + sums_stride, 64);
  if constexpr (blocks > 2) _tile_stored(2, sums + 2 * sums_stride, 64);
  if constexpr (blocks > 3) _tile_stored(3, sums + 3 * sums_stride, 64);
}

void run_weight_gradient(const WeightGradient& g) {
  copy_inputs(g);
  const std::int64_t out_blocks = (g.out_channels + gradient_tile - 1) / gradient_tile;
  const std::int64_t steps_an_image = lines_up(g.rows * g.pitch) / gradient_depth;
  const std::int64_t all_steps = g.images * steps_an_image;
  configure_tiles(tile_rows);
  for (std::int64_t done = 0; done < all_steps; done += gradient_steps) {
    const std::int64_t count = all_steps - done < gradient_steps ? all_steps - done : gradient_steps;
    Step steps[gradient_steps];
    for (std::int64_t out = 0; out < out_blocks; ++out) {
      for (std::int64_t s = 0; s < count; ++s) {
        const std::int64_t image = (done + s) / steps_an_image;
        const std::int64_t position = (done + s) % steps_an_image * gradient_depth;
        const bool last = out + 1 == out_blocks;
        const std::int64_t next = done + s + (last ? gradient_steps : 0);
        steps[s] = {image * g.image_positions + position,
                    pixels_of(g, next / steps_an_image, next % steps_an_image * gradient_depth, last ? 0 : (out + 1) * gradient_tile).from};
        split(g, image, position, out * gradient_tile, g.parts + s * gradient_parts * tile_bfloats);
      }
      const std::int64_t sums_stride = out_blocks * gradient_sums;
      float* sums = g.sums + out * gradient_sums;
      // As many blocks at a time, or one less.
      for (std::int64_t block = 0, rounds = (g.blocks + 3) / 4; rounds > 0; --rounds) {
        const std::int64_t some = (g.blocks - block + rounds - 1) / rounds;
        if (some == 4) add_blocks<4>(g, steps, count, block, sums, sums_stride);
        if (some == 3) add_blocks<3>(g, steps, count, block, sums, sums_stride);
        if (some == 2) add_blocks<2>(g, steps, count, block, sums, sums_stride);
        if (some == 1) add_blocks<1>(g, steps, count, block, sums, sums_stride);
        sums += some * sums_stride;
        block += some;
      }
    }
  }
  _tile_release();
}

}  // namespace

void weight_gradient(Kernels& kernels);
void weight_gradient(Kernels& kernels) {
  kernels.weight_gradient = run_weight_gradient;
}

}  // namespace stair::backends::int8::amx
