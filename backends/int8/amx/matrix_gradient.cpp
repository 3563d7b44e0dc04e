#include "backends/int8/amx/bfloat.h"
#include "backends/int8/amx/tiles.h"
#include "backends/int8/avx512_vnni/transpose.h"
#include "backends/int8/kernels.h"

// Products of floats with integers on tiles of bfloat16: the parts of 16 rows (by 32 of the depth) by up to four blocks of 16 columns,
// which share what is loaded of the parts.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t tile_bfloats = gradient_tile * gradient_depth;

// 16 elements of the depth of 16 rows, from element `k` on, [row][element].
void load_block(const MatrixRows& r, std::int64_t k, __m512 (&rows)[16]) {
  const std::int64_t left = r.depth - k;
  const __mmask16 inside = left > 0 ? first_lanes(left) : __mmask16{0};
  if (r.transposed) {
    const float* from = r.from + k * r.stride;
    for (int i = 0; i < 16; ++i) rows[i] = _mm512_maskz_loadu_ps(i < left ? first_lanes(r.rows) : __mmask16{0}, from + i * r.stride);
    transpose(rows);
  } else {
    const float* from = r.from + k;
    for (int i = 0; i < 16; ++i) rows[i] = _mm512_maskz_loadu_ps(i < r.rows ? inside : __mmask16{0}, from + i * r.stride);
  }
  const __m512 scale = _mm512_loadu_ps(r.scale + k);
  for (__m512& row : rows) row = _mm512_mul_ps(row, scale);
}

void run_matrix_rows(const MatrixRows& r) {
  std::uint16_t* to = r.to;
  for (std::int64_t k = 0; k < r.depth; k += gradient_depth, to += gradient_parts * tile_bfloats) {
    __m512 first[16];
    __m512 second[16];
    load_block(r, k, first);
    load_block(r, k + gradient_tile, second);
    for (int i = 0; i < 16; ++i) {
      const Parts a = parts_of(first[i]);
      const Parts b = parts_of(second[i]);
      for (int p = 0; p < gradient_parts; ++p) {
        _mm512_store_si512(to + p * tile_bfloats + i * gradient_depth, side_by_side(a.part[p], b.part[p]));
      }
    }
  }
}

/// 16 bytes to bfloat16s of q - z, in the upper halves of lanes.
struct Conversion {
  __m128i flip;
  __m512i zero_point;
  explicit Conversion(const MatrixColumns& c)
      : flip(_mm_set1_epi8(static_cast<char>(c.is_signed ? 0x80 : 0))),
        zero_point(_mm512_set1_epi32(c.zero_point + (c.is_signed ? 128 : 0))) {}

  STAIR_INLINE __m512i operator()(const std::uint8_t* from, __mmask16 inside) const {
    const __m128i bytes = _mm_xor_si128(_mm_maskz_loadu_epi8(inside, from), flip);
    return _mm512_castps_si512(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(bytes), zero_point)));
  }
};

// The rows of q, two 16 apart as a pair; what is behind the last one counts as 0. The next panel's columns are fetched meanwhile.
void pack(const MatrixColumns& c, std::int64_t tiles) {
  const Conversion conversion(c);
  std::uint16_t* to = c.panel;
  for (std::int64_t k = 0; k < c.depth; k += gradient_depth, to += tiles * tile_bfloats) {
    for (std::int64_t i = 0; i < gradient_tile; ++i) {
      const std::uint8_t* first = c.q + (k + i) * c.q_stride;
      const std::uint8_t* second = first + gradient_tile * c.q_stride;
      const bool has_first = k + i < c.depth;
      const bool has_second = k + i + gradient_tile < c.depth;
      if (has_first) _mm_prefetch(reinterpret_cast<const char*>(first + matrix_columns), _MM_HINT_T1);
      if (has_second) _mm_prefetch(reinterpret_cast<const char*>(second + matrix_columns), _MM_HINT_T1);
      for (std::int64_t t = 0; t < tiles; ++t) {
        const __mmask16 inside = first_lanes(c.columns - t * gradient_tile);
        const __m512i zero = _mm512_setzero_si512();
        const __m512i a = has_first ? conversion(first + t * gradient_tile, inside) : zero;
        const __m512i b = has_second ? conversion(second + t * gradient_tile, inside) : zero;
        _mm512_store_si512(to + t * tile_bfloats + i * gradient_depth, side_by_side(a, b));
      }
    }
  }
}

void store_tile(const float* tile, std::int64_t rows, std::int64_t columns, float* y, std::int64_t y_stride) {
  const __mmask16 inside = first_lanes(columns);
  for (std::int64_t i = 0; i < rows; ++i) _mm512_mask_storeu_ps(y + i * y_stride, inside, _mm512_load_ps(tile + i * gradient_tile));
}

// A tile that is read two steps later: parts of the rows and the panel together are more than the first-level cache holds.
STAIR_INLINE void fetch(const std::uint16_t* tile) {
  for (std::int64_t i = 0; i < tile_bfloats; i += gradient_depth) _mm_prefetch(reinterpret_cast<const char*>(tile + i), _MM_HINT_T0);
}

// Tiles 0 to 3: sums; 4: a block of columns; 5 to 7: the parts of the rows.
template <int tiles>
void multiply(const MatrixColumns& c) {
  const std::int64_t steps = (c.depth + gradient_depth - 1) / gradient_depth;
  const std::uint16_t* parts = c.parts;
  for (std::int64_t row = 0; row < c.rows; row += gradient_tile) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    const std::uint16_t* panel = c.panel;
    for (std::int64_t step = 0; step < steps; ++step, parts += gradient_parts * tile_bfloats, panel += tiles * tile_bfloats) {
      _tile_loadd(5, parts, 64);
      _tile_loadd(6, parts + tile_bfloats, 64);
      _tile_loadd(7, parts + 2 * tile_bfloats, 64);
      _tile_loadd(4, panel, 64);
      _tile_dpbf16ps(0, 5, 4);
      _tile_dpbf16ps(0, 6, 4);
      _tile_dpbf16ps(0, 7, 4);
      const std::uint16_t* ahead = parts + 2 * gradient_parts * tile_bfloats;
      fetch(ahead);
      if constexpr (tiles > 1) {
        _tile_loadd(4, panel + tile_bfloats, 64);
        _tile_dpbf16ps(1, 5, 4);
        _tile_dpbf16ps(1, 6, 4);
        _tile_dpbf16ps(1, 7, 4);
        fetch(ahead + tile_bfloats);
      }
      if constexpr (tiles > 2) {
        _tile_loadd(4, panel + 2 * tile_bfloats, 64);
        _tile_dpbf16ps(2, 5, 4);
        _tile_dpbf16ps(2, 6, 4);
        _tile_dpbf16ps(2, 7, 4);
        fetch(ahead + 2 * tile_bfloats);
      }
      if constexpr (tiles > 3) {
        _tile_loadd(4, panel + 3 * tile_bfloats, 64);
        _tile_dpbf16ps(3, 5, 4);
        _tile_dpbf16ps(3, 6, 4);
        _tile_dpbf16ps(3, 7, 4);
      }
    }
    float* y = c.y + row * c.y_stride;
    const std::int64_t rows = c.rows - row < gradient_tile ? c.rows - row : gradient_tile;
    if (rows == gradient_tile && c.columns == tiles * gradient_tile) {
      const std::int64_t stride = c.y_stride * static_cast<std::int64_t>(sizeof *y);
      _tile_stored(0, y, stride);
      if constexpr (tiles > 1) _tile_stored(1, y + gradient_tile, stride);
      if constexpr (tiles > 2) _tile_stored(2, y + 2 * gradient_tile, stride);
      if constexpr (tiles > 3) _tile_stored(3, y + 3 * gradient_tile, stride);
    } else {
      alignas(64) float sums[tiles][gradient_sums];
      _tile_stored(0, sums[0], 64);
      if constexpr (tiles > 1) _tile_stored(1, sums[1], 64);
      if constexpr (tiles > 2) _tile_stored(2, sums[2], 64);
      if constexpr (tiles > 3) _tile_stored(3, sums[3], 64);
      for (int t = 0; t < tiles; ++t) store_tile(sums[t], rows, c.columns - t * gradient_tile, y + t * gradient_tile, c.y_stride);
    }
  }
}

void run_matrix_columns(const MatrixColumns& c) {
  const std::int64_t tiles = (c.columns + gradient_tile - 1) / gradient_tile;
  pack(c, tiles);
  configure_tiles(tile_rows);
  if (tiles == 4) multiply<4>(c);
  if (tiles == 3) multiply<3>(c);
  if (tiles == 2) multiply<2>(c);
  if (tiles == 1) multiply<1>(c);
  _tile_release();
}

}  // namespace

void matrix_gradient(Kernels& kernels);
void matrix_gradient(Kernels& kernels) {
  kernels.matrix_rows = run_matrix_rows;
  kernels.matrix_columns = run_matrix_columns;
}

}  // namespace stair::backends::int8::amx
