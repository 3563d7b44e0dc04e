#include "backends/int8/amx/bfloat.h"
#include "backends/int8/amx/tiles.h"
#include "backends/int8/kernels.h"

// The weights' gradient on tiles of bfloat16: rows of dy (16 output channels x 32 positions) by pairs of neighbouring input positions (32
// positions x 16 input channels). Three taps share what is loaded of dy.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t pair_floats = 2 * gradient_tile;  // bfloat16s of a pair of positions

// Rows of dy, in parts, on the positions of the planes; zero in between.
void split_rows(const WeightGradient& g) {
  const std::int64_t channels = (g.out_channels + gradient_tile - 1) / gradient_tile * gradient_tile;
  const std::int64_t row = g.images * g.positions;
  const std::int64_t part = channels * row;
  for (std::int64_t image = 0; image < g.images; ++image) {
    for (std::int64_t o = 0; o < channels; ++o) {
      std::uint16_t* to = g.parts + o * row + image * g.positions;
      std::int64_t at = 0;  // first position that isn't written yet; vectors are written whole, what is too much is written over
      const auto store = [&](const Parts& parts, std::int64_t position) {
        const __mmask16 inside = first_lanes(g.positions - position);
        for (int p = 0; p < gradient_parts; ++p) _mm512_mask_cvtepi32_storeu_epi16(to + p * part + position, inside, parts.part[p]);
      };
      const float* from = g.dy + (image * g.out_channels + o) * g.out_height * g.out_width;
      for (std::int64_t r = 0; o < g.out_channels && r < g.out_height; ++r, from += g.out_width) {
        for (; at < r * g.pitch; at += 16) store({}, at);
        for (std::int64_t i = 0; i < g.out_width; i += 16) {
          store(parts_of(_mm512_maskz_loadu_ps(first_lanes(g.out_width - i), from + i)), r * g.pitch + i);
        }
        at = r * g.pitch + (g.out_width + 15) / 16 * 16;
      }
      for (; at < g.positions; at += 16) store({}, at);
    }
  }
}

// One plane of 16 channels as bytes, [channel][position]; the zero point where the input has nothing.
void copy_plane(const WeightGradient& g, const std::uint8_t* image, std::int64_t first_channel, std::int64_t row_residue,
                std::int64_t column_residue) {
  const auto zero = static_cast<std::uint8_t>(g.zero_point);
  for (std::int64_t c = 0; c < gradient_tile; ++c) {
    std::uint8_t* to = g.bytes + c * g.plane_positions;
    __builtin_memset(to, zero, static_cast<std::size_t>(g.plane_positions));
    if (first_channel + c >= g.in_channels) continue;
    const std::uint8_t* channel = image + (first_channel + c) * g.in_height * g.in_width;
    for (std::int64_t r = 0; r < g.plane_rows; ++r) {
      const std::int64_t h = r * g.stride_h + row_residue - g.top;
      if (h < 0 || h >= g.in_height) continue;
      // Column i of the plane is the image's column i * stride + shift.
      const std::int64_t shift = column_residue - g.left;
      const std::int64_t first = shift >= 0 ? 0 : (g.stride_w - 1 - shift) / g.stride_w;
      const std::int64_t reach = (g.in_width - shift + g.stride_w - 1) / g.stride_w;
      const std::int64_t last = reach < g.pitch ? reach : g.pitch;
      const std::uint8_t* row = channel + h * g.in_width + shift;
      std::uint8_t* line = to + r * g.pitch;
      if (g.stride_w == 1) {
        if (last > first) __builtin_memcpy(line + first, row + first, static_cast<std::size_t>(last - first));
      } else {
        for (std::int64_t i = first; i < last; ++i) line[i] = row[i * g.stride_w];
      }
    }
  }
}

// Channels of two positions side by side, as bfloat16s of q - z.
STAIR_INLINE void store_pair(__m128i first, __m128i second, __m512i zero_point, std::uint16_t* to) {
  const __m256i bytes = _mm256_set_m128i(_mm_unpackhi_epi8(first, second), _mm_unpacklo_epi8(first, second));
  const __m512i words = _mm512_cvtepu8_epi16(bytes);
  const __m512i low = _mm512_and_si512(words, _mm512_set1_epi32(0xFFFF));
  const __m512 a = _mm512_cvtepi32_ps(_mm512_sub_epi32(low, zero_point));
  const __m512 b = _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_srli_epi32(words, 16), zero_point));
  const __m512i upper = _mm512_and_si512(_mm512_castps_si512(b), _mm512_set1_epi32(static_cast<int>(0xFFFF0000U)));
  _mm512_storeu_si512(to, _mm512_or_si512(_mm512_srli_epi32(_mm512_castps_si512(a), 16), upper));
}

// The plane's positions in pairs: (0, 1), (2, 3), … to `even`, (1, 2), (3, 4), … to `odd`.
void pair_plane(const WeightGradient& g, std::uint16_t* even, std::uint16_t* odd) {
  const __m128i flip = _mm_set1_epi8(static_cast<char>(g.is_signed ? 0x80 : 0));
  const __m512i zero_point = _mm512_set1_epi32(g.zero_point + (g.is_signed ? 128 : 0));
  __m128i before = _mm_xor_si128(_mm_set1_epi8(static_cast<char>(g.zero_point)), flip);
  const __m128i padding = before;
  for (std::int64_t position = 0; position < g.plane_positions; position += 16) {
    __m128i rows[16];
    for (int c = 0; c < 16; ++c) {
      rows[c] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(g.bytes + c * g.plane_positions + position));
    }
    for (int round = 0; round < 4; ++round) {  // each turns the bits of (row, column) by one
      __m128i turned[16];
      for (int i = 0; i < 8; ++i) {
        turned[2 * i] = _mm_unpacklo_epi8(rows[i], rows[i + 8]);
        turned[2 * i + 1] = _mm_unpackhi_epi8(rows[i], rows[i + 8]);
      }
      for (int i = 0; i < 16; ++i) rows[i] = turned[i];
    }
    for (int i = 0; i < 16; ++i) rows[i] = _mm_xor_si128(rows[i], flip);
    const std::int64_t pair = position / 2;
    for (int i = 0; i < 8; ++i) store_pair(rows[2 * i], rows[2 * i + 1], zero_point, even + (pair + i) * pair_floats);
    if (pair > 0) store_pair(before, rows[0], zero_point, odd + (pair - 1) * pair_floats);
    for (int i = 0; i < 7; ++i) store_pair(rows[2 * i + 1], rows[2 * i + 2], zero_point, odd + (pair + i) * pair_floats);
    before = rows[15];
  }
  store_pair(before, padding, zero_point, odd + (g.plane_positions / 2 - 1) * pair_floats);
}

std::int64_t planes_of(const WeightGradient& g) {
  return g.row_planes * g.column_planes;
}
// bfloat16s of all planes of one parity, of 16 channels of an image.
std::int64_t parity_size(const WeightGradient& g) {
  return planes_of(g) * g.plane_positions / 2 * pair_floats;
}

void pair_channels(const WeightGradient& g, std::int64_t block) {
  for (std::int64_t image = 0; image < g.images; ++image) {
    std::uint16_t* even = g.pairs + (block * g.images + image) * 2 * parity_size(g);
    for (std::int64_t plane = 0; plane < planes_of(g); ++plane) {
      copy_plane(g, g.q + image * g.in_channels * g.in_height * g.in_width, block * gradient_tile, plane / g.column_planes,
                 plane % g.column_planes);
      std::uint16_t* to = even + plane * g.plane_positions / 2 * pair_floats;
      pair_plane(g, to, to + parity_size(g));
    }
  }
}

// Tiles 0 to 2: sums of the taps; 3 to 5: their input; 6 and 7: dy.
template <int taps>
void add_taps(const WeightGradient& g, std::int64_t tap, std::int64_t out_block, std::int64_t in_block) {
  const std::int64_t out_channels = (g.out_channels + gradient_tile - 1) / gradient_tile * gradient_tile;
  const std::int64_t in_channels = (g.in_channels + gradient_tile - 1) / gradient_tile * gradient_tile;
  const std::int64_t tap_sums = out_channels * in_channels;
  float* sums = g.sums + tap * tap_sums + (out_block * in_channels + in_block) * gradient_tile;
  const std::int64_t sums_stride = in_channels * 4;
  const auto source = [&](std::int64_t t) {
    const std::int64_t offset = g.tap_offsets[t];
    return g.pairs + in_block * g.images * 2 * parity_size(g) + offset % 2 * parity_size(g) + offset / 2 * pair_floats;
  };
  const std::int64_t row = g.images * g.positions;
  const std::int64_t part = out_channels * row;
  const std::uint16_t* dy = g.parts + out_block * gradient_tile * row;
  const std::uint16_t* first = source(tap);
  const std::uint16_t* second = source(taps > 1 ? tap + 1 : tap);
  const std::uint16_t* third = source(taps > 2 ? tap + 2 : tap);
  _tile_loadd(0, sums, sums_stride);
  if constexpr (taps > 1) _tile_loadd(1, sums + tap_sums, sums_stride);
  if constexpr (taps > 2) _tile_loadd(2, sums + 2 * tap_sums, sums_stride);
  for (std::int64_t image = 0; image < g.images; ++image) {
    std::int64_t at = image * 2 * parity_size(g);
    for (std::int64_t position = 0; position < g.positions; position += gradient_depth, at += gradient_depth / 2 * pair_floats) {
      const std::uint16_t* line = dy + image * g.positions + position;
      _tile_loadd(3, first + at, 64);
      if constexpr (taps > 1) _tile_loadd(4, second + at, 64);
      if constexpr (taps > 2) _tile_loadd(5, third + at, 64);
      _tile_loadd(6, line, 2 * row);
      _tile_dpbf16ps(0, 6, 3);
      if constexpr (taps > 1) _tile_dpbf16ps(1, 6, 4);
      if constexpr (taps > 2) _tile_dpbf16ps(2, 6, 5);
      _tile_loadd(7, line + part, 2 * row);
      _tile_dpbf16ps(0, 7, 3);
      if constexpr (taps > 1) _tile_dpbf16ps(1, 7, 4);
      if constexpr (taps > 2) _tile_dpbf16ps(2, 7, 5);
      _tile_loadd(6, line + 2 * part, 2 * row);
      _tile_dpbf16ps(0, 6, 3);
      if constexpr (taps > 1) _tile_dpbf16ps(1, 6, 4);
      if constexpr (taps > 2) _tile_dpbf16ps(2, 6, 5);
    }
  }
  _tile_stored(0, sums, sums_stride);
  if constexpr (taps > 1) _tile_stored(1, sums + tap_sums, sums_stride);
  if constexpr (taps > 2) _tile_stored(2, sums + 2 * tap_sums, sums_stride);
}

void run_weight_gradient(const WeightGradient& g) {
  const std::int64_t in_blocks = (g.in_channels + gradient_tile - 1) / gradient_tile;
  const std::int64_t out_blocks = (g.out_channels + gradient_tile - 1) / gradient_tile;
  split_rows(g);
  for (std::int64_t block = 0; block < in_blocks; ++block) pair_channels(g, block);
  configure_tiles(tile_rows);
  for (std::int64_t out = 0; out < out_blocks; ++out) {
    for (std::int64_t in = 0; in < in_blocks; ++in) {
      std::int64_t tap = 0;
      for (; tap + 3 <= g.taps; tap += 3) add_taps<3>(g, tap, out, in);
      if (g.taps - tap == 2) add_taps<2>(g, tap, out, in);
      if (g.taps - tap == 1) add_taps<1>(g, tap, out, in);
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
