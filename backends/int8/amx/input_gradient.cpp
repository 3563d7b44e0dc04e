#include "backends/int8/amx/bfloat.h"
#include "backends/int8/amx/tiles.h"
#include "backends/int8/kernels.h"

// The input's gradient on tiles of bfloat16: weights (16 input channels x 32 output channels of a tap) by pairs of output channels (32
// channels x 16 positions). The result lies as images do, [channel][position].

namespace stair::backends::int8::amx {
namespace {

// dy * scale in parts, two channels side by side.
void pair_rows(const InputGradient& g) {
  const std::int64_t part = g.pair_rows * g.plane_positions * 2;
  for (std::int64_t o = 0; o < g.out_channels; o += 2) {
    const bool two = o + 1 < g.out_channels;
    const __m512 scale_a = _mm512_set1_ps(g.scale[o]);
    const __m512 scale_b = _mm512_set1_ps(two ? g.scale[o + 1] : 0.0F);
    const float* a = g.dy + o * g.out_height * g.out_width;
    const float* b = two ? a + g.out_height * g.out_width : a;
    std::uint16_t* line = g.pairs + (o / 2 * g.plane_positions + g.top * g.pitch + g.left) * 2;
    for (std::int64_t r = 0; r < g.out_height; ++r, a += g.out_width, b += g.out_width, line += 2 * g.pitch) {
      for (std::int64_t i = 0; i < g.out_width; i += 16) {
        const __mmask16 inside = first_lanes(g.out_width - i);
        const Parts of_a = parts_of(_mm512_mul_ps(_mm512_maskz_loadu_ps(inside, a + i), scale_a));
        const Parts of_b = parts_of(_mm512_mul_ps(_mm512_maskz_loadu_ps(two ? inside : __mmask16{0}, b + i), scale_b));
        for (int p = 0; p < gradient_parts; ++p) {
          const __m512i pairs = _mm512_or_si512(of_a.part[p], _mm512_slli_epi32(of_b.part[p], 16));
          std::uint16_t* to = line + p * part + 2 * i;
          _mm512_mask_storeu_epi32(to, inside, pairs);
          if (!g.doubled) continue;
          const bool begins = (g.top + r) * g.pitch + g.left + i == 0;  // one position on, nobody reads the first
          const auto shifted = static_cast<__mmask16>(begins ? inside & 0xFFFEU : inside);
          _mm512_mask_storeu_epi32(to + (g.pair_rows / 2 * g.plane_positions - 1) * 2, shifted, pairs);
        }
      }
    }
  }
}

constexpr int most_blocks = 4;
constexpr std::int64_t tile_floats = gradient_tile * gradient_tile;

/// Blocks of 16 positions that are computed together.
struct Together {
  std::int64_t position[most_blocks];
};

// Sums of 2 blocks of positions and 2 of channels (or 1) to memory, [block][panel]. Tiles 0 to 3: sums; 4 and 5: weights; 6 and 7: dy.
template <int blocks, int panels>
STAIR_INLINE void multiply(const InputGradient& g, const InputPart& of, const Together& together, std::int64_t panel, float* sums) {
  const std::int64_t stride = g.plane_positions * 4;
  const std::int64_t part = g.pair_rows * g.plane_positions * 2;
  const std::int64_t step_size = gradient_tile * gradient_depth;
  const std::uint16_t* weights = of.weights + panel * of.steps * step_size;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t step = 0; step < of.steps; ++step, weights += step_size) {
    const std::uint16_t* dy = g.pairs + (of.first_pairs[step] * g.plane_positions + of.offsets[step]) * 2;
    _tile_loadd(4, weights, 64);
    if constexpr (panels == 2) _tile_loadd(5, weights + of.steps * step_size, 64);
    for (int p = 0; p < gradient_parts; ++p, dy += part) {
      _tile_loadd(6, dy + 2 * together.position[0], stride);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (panels == 2) _tile_dpbf16ps(1, 5, 6);
      if constexpr (blocks > 1) {
        _tile_loadd(7, dy + 2 * together.position[1], stride);
        _tile_dpbf16ps(2, 4, 7);
        if constexpr (panels == 2) _tile_dpbf16ps(3, 5, 7);
      }
      if constexpr (blocks == 4) {
        _tile_loadd(6, dy + 2 * together.position[2], stride);
        _tile_dpbf16ps(1, 4, 6);
        _tile_loadd(7, dy + 2 * together.position[3], stride);
        _tile_dpbf16ps(3, 4, 7);
      }
    }
  }
  _tile_stored(0, sums, 64);
  if constexpr (panels == 2) _tile_stored(1, sums + tile_floats, 64);
  if constexpr (blocks > 1) _tile_stored(2, sums + panels * tile_floats, 64);
  if constexpr (blocks > 1 && panels == 2) _tile_stored(3, sums + 3 * tile_floats, 64);
  if constexpr (blocks == 4) {
    _tile_stored(1, sums + 2 * tile_floats, 64);
    _tile_stored(3, sums + 3 * tile_floats, 64);
  }
}

// The rows of dx that 16 positions from `position` on belong to.
void store_block(const InputGradient& g, const InputPart& of, const float* sums, std::int64_t position, std::int64_t panel) {
  const std::int64_t left = g.in_channels - panel * gradient_tile;
  const std::int64_t channels = left < gradient_tile ? left : gradient_tile;
  const std::int64_t plane = g.in_height * g.in_width;
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i places = _mm512_mullo_epi32(lanes, _mm512_set1_epi32(static_cast<int>(g.stride_w)));
  for (std::int64_t i = 0; i < gradient_tile;) {
    const std::int64_t row = (position + i) / g.pitch;
    const std::int64_t column = (position + i) % g.pitch;
    if (row >= of.rows) return;
    const std::int64_t of_row = of.columns - column;
    const std::int64_t some = of_row < gradient_tile - i ? of_row : gradient_tile - i;
    if (some > 0) {
      const __mmask16 inside = first_lanes(some);
      float* to =
          g.dx + panel * gradient_tile * plane + (of.first_row + row * g.stride_h) * g.in_width + of.first_column + column * g.stride_w;
      for (std::int64_t c = 0; c < channels; ++c, to += plane) {
        const __m512 values = _mm512_maskz_loadu_ps(inside, sums + c * gradient_tile + i);
        if (g.stride_w == 1) {
          _mm512_mask_storeu_ps(to, inside, values);
        } else {
          _mm512_mask_i32scatter_ps(to, inside, places, values, 4);
        }
      }
    }
    i += g.pitch - column;
  }
}

template <int blocks, int panels>
void run_blocks(const InputGradient& g, const InputPart& of, const Together& together, std::int64_t panel) {
  alignas(64) float sums[most_blocks * tile_floats];
  multiply<blocks, panels>(g, of, together, panel, sums);
  for (int b = 0; b < blocks; ++b) {
    for (int p = 0; p < panels; ++p) store_block(g, of, sums + (b * panels + p) * tile_floats, together.position[b], panel + p);
  }
}

// Blocks of 16 positions begin with each row anew, or run on over the rows, whichever takes fewer.
struct Blocks {
  std::int64_t of_row, count, pitch;
  std::int64_t start(std::int64_t block) const {
    return of_row == 0 ? block * gradient_tile : block / of_row * pitch + block % of_row * gradient_tile;
  }
};

Blocks cut(const InputGradient& g, const InputPart& of) {
  const std::int64_t of_row = (of.columns + gradient_tile - 1) / gradient_tile;
  const std::int64_t running = ((of.rows - 1) * g.pitch + of.columns + gradient_tile - 1) / gradient_tile;
  if (of.rows * of_row <= running) return {of_row, of.rows * of_row, g.pitch};
  return {0, running, g.pitch};
}

template <int panels>
void run_panels(const InputGradient& g, const InputPart& of, const Blocks& blocks, std::int64_t panel) {
  constexpr int most = most_blocks / panels;
  std::int64_t b = 0;
  const auto next = [&](std::int64_t count) {
    Together together{};
    for (std::int64_t i = 0; i < count; ++i) together.position[i] = blocks.start(b++);
    return together;
  };
  while (b + most <= blocks.count) run_blocks<most, panels>(g, of, next(most), panel);
  if (most == 4 && b + 2 <= blocks.count) run_blocks<2, panels>(g, of, next(2), panel);
  while (b < blocks.count) run_blocks<1, panels>(g, of, next(1), panel);
}

void run_input_gradient(const InputGradient& g) {
  pair_rows(g);
  if (!g.covers) __builtin_memset(g.dx, 0, static_cast<std::size_t>(g.in_channels * g.in_height * g.in_width) * sizeof(float));
  configure_tiles(tile_rows);
  const std::int64_t all_panels = (g.in_channels + gradient_tile - 1) / gradient_tile;
  for (const InputPart* of = g.parts; of < g.parts + g.part_count; ++of) {
    const Blocks blocks = cut(g, *of);
    std::int64_t panel = 0;
    for (; panel + 2 <= all_panels; panel += 2) run_panels<2>(g, *of, blocks, panel);
    if (panel < all_panels) run_panels<1>(g, *of, blocks, panel);
  }
  _tile_release();
}

}  // namespace

void input_gradient(Kernels& kernels);
void input_gradient(Kernels& kernels) {
  kernels.input_gradient = run_input_gradient;
}

}  // namespace stair::backends::int8::amx
