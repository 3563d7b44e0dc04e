#include "backends/int8/amx/bfloat.h"
#include "backends/int8/amx/tiles.h"
#include "backends/int8/avx512_vnni/transpose.h"
#include "backends/int8/kernels.h"

// The input's gradient on tiles of bfloat16: 16 neighbouring pixels of dy (by 32 channels) by weights of a kernel position (32 channels x
// 16 input channels). Sums lie as [pixel][channel] and are transposed on their way to dx.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t tile_bfloats = gradient_tile * gradient_depth;

// 16 pixels of 16 channels of dy times their scales, [pixel][channel].
void load_block(const InputGradient& g, std::int64_t first_channel, std::int64_t first_pixel, __m512 (&rows)[16]) {
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t channels = g.out_channels - first_channel;
  const __mmask16 inside = first_lanes(plane - first_pixel);
  const float* from = g.dy + first_channel * plane + first_pixel;
  for (int o = 0; o < 16; ++o) rows[o] = _mm512_maskz_loadu_ps(o < channels ? inside : __mmask16{0}, from + o * plane);
  transpose(rows);
  const __m512 scale = _mm512_loadu_ps(g.scale + first_channel);
  for (__m512& row : rows) row = _mm512_mul_ps(row, scale);
}

/// Where the pixels of dy go, one by one.
struct Place {
  std::int64_t position, width, pitch, column = 0;
  explicit Place(const InputGradient& g) : position(g.first_position), width(g.out_width), pitch(g.pitch) {}
  // Whether the next pixel begins a row.
  bool advance() {
    ++position;
    if (++column < width) return false;
    position += pitch - width;
    column = 0;
    return true;
  }
};

void copy_wide(const InputGradient& g) {
  const std::int64_t pixels = g.out_height * g.out_width;
  const std::int64_t plane = g.plane_positions * gradient_depth;
  for (std::int64_t channel = 0; channel < g.out_channels; channel += gradient_depth) {
    std::uint16_t* const planes = g.planes + channel / gradient_depth * gradient_parts * plane;
    Place place(g);
    for (std::int64_t pixel = 0; pixel < pixels; pixel += 16) {
      __m512 first[16];
      __m512 second[16];
      load_block(g, channel, pixel, first);
      load_block(g, channel + gradient_tile, pixel, second);
      const std::int64_t count = pixels - pixel < 16 ? pixels - pixel : 16;
      for (std::int64_t i = 0; i < count; ++i) {
        const Parts a = parts_of(first[i]);
        const Parts b = parts_of(second[i]);
        std::uint16_t* to = planes + place.position * gradient_depth;
        for (int p = 0; p < gradient_parts; ++p) _mm512_store_si512(to + p * plane, side_by_side(a.part[p], b.part[p]));
        place.advance();
      }
    }
  }
}

void copy_narrow(const InputGradient& g) {
  const std::int64_t pixels = g.out_height * g.out_width;
  std::uint16_t* const planes = g.planes;
  std::uint16_t* const thirds = planes + g.plane_positions * gradient_depth;
  Place place(g);
  __m512i before = _mm512_setzero_si512();
  for (std::int64_t pixel = 0; pixel < pixels; pixel += 16) {
    __m512 rows[16];
    load_block(g, 0, pixel, rows);
    const std::int64_t count = pixels - pixel < 16 ? pixels - pixel : 16;
    for (std::int64_t i = 0; i < count; ++i) {
      const Parts parts = parts_of(rows[i]);
      const std::int64_t at = place.position * gradient_depth;
      _mm512_store_si512(planes + at, side_by_side(parts.part[0], parts.part[1]));
      _mm512_store_si512(thirds + at - gradient_depth, side_by_side(before, parts.part[2]));
      before = parts.part[2];
      if (place.advance()) {
        _mm512_store_si512(thirds + at, side_by_side(before, _mm512_setzero_si512()));
        before = _mm512_setzero_si512();
      }
    }
  }
}

/// dy of the next image, fetched a few lines with each step.
struct Ahead {
  const float* at;
  std::int64_t lines_a_step;
  STAIR_INLINE void fetch() {
    for (std::int64_t i = 0; i < lines_a_step; ++i, at += 16) _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T1);
  }
};

/// Blocks of 16 positions that are computed together.
struct Together {
  std::int64_t position[input_gradient_blocks];
};

// Sums of 2 blocks of positions and 2 of channels, or of up to 4 of positions, to memory, [block][panel]. Tiles 0 to 3: sums; 4 and 5: dy;
// 6 and 7: weights.
template <int blocks, int panels, int parts>
STAIR_INLINE void multiply(const InputGradient& g, const InputPart& of, const Together& together, std::int64_t panel, float* sums,
                           Ahead& ahead) {
  const std::int64_t plane = g.plane_positions * gradient_depth;
  const std::int64_t next_panel = of.steps * tile_bfloats;
  const std::uint16_t* weights = of.weights + panel * next_panel;
  const std::uint16_t* const planes = g.planes;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t step = 0; step < of.steps; ++step, weights += tile_bfloats) {
    const std::uint16_t* dy = planes + of.rows[step] * gradient_depth;
    _tile_loadd(6, weights, 64);
    if constexpr (panels == 2) _tile_loadd(7, weights + next_panel, 64);
    ahead.fetch();
    for (int p = 0; p < parts; ++p, dy += plane) {
      _tile_loadd(4, dy + together.position[0] * gradient_depth, 64);
      _tile_dpbf16ps(0, 4, 6);
      if constexpr (panels == 2) _tile_dpbf16ps(1, 4, 7);
      if constexpr (blocks > 1) {
        _tile_loadd(5, dy + together.position[1] * gradient_depth, 64);
        _tile_dpbf16ps(2, 5, 6);
        if constexpr (panels == 2) _tile_dpbf16ps(3, 5, 7);
      }
      if constexpr (blocks == 4) {
        _tile_loadd(4, dy + together.position[2] * gradient_depth, 64);
        _tile_dpbf16ps(1, 4, 6);
        _tile_loadd(5, dy + together.position[3] * gradient_depth, 64);
        _tile_dpbf16ps(3, 5, 6);
      }
    }
  }
  _tile_stored(0, sums, 64);
  if constexpr (panels == 2) _tile_stored(1, sums + gradient_sums, 64);
  if constexpr (blocks > 1) _tile_stored(2, sums + panels * gradient_sums, 64);
  if constexpr (blocks > 1 && panels == 2) _tile_stored(3, sums + 3 * gradient_sums, 64);
  if constexpr (blocks == 4) {
    _tile_stored(1, sums + 2 * gradient_sums, 64);
    _tile_stored(3, sums + 3 * gradient_sums, 64);
  }
}

STAIR_INLINE void load_tile(const float* sums, __m512 (&rows)[16]) {
  for (int i = 0; i < 16; ++i) rows[i] = _mm512_load_ps(sums + i * gradient_tile);
}

/// The pixels of dx in every stride_h-th row: as many rows and columns of stride_w pixels.
struct Rows {
  std::int64_t first, count, columns;
};

/// The part of a block that are neighbours in dx.
struct Piece {
  float* to;           // of the block's first channel
  std::int64_t first;  // of the block's pixels
  __mmask16 lanes;
  std::int64_t pixels;  // of dx
};

// Calls body(piece) for those of 16 positions from `position` on; rows that are neighbours in dx, too, are one.
template <class Body>
STAIR_INLINE void parallel_for(const InputGradient& g, const Rows& rows, std::int64_t position, float* to, Body&& body) {
  const bool joined = g.stride_h == 1 && g.stride_w == 1;
  std::int64_t row = position / g.pitch;
  std::int64_t column = position % g.pitch;
  Piece piece{nullptr, 0, 0, 0};
  for (std::int64_t i = 0; i < gradient_tile && row < rows.count; ++row) {
    const std::int64_t of_row = rows.columns - column;
    const std::int64_t some = of_row < gradient_tile - i ? of_row : gradient_tile - i;
    if (some > 0) {
      const std::int64_t x = column * g.stride_w;
      const std::int64_t room = g.in_width - x;
      const std::int64_t pixels = some * g.stride_w < room ? some * g.stride_w : room;
      if (piece.pixels > 0 && !joined) {
        body(piece);
        piece.pixels = 0;
      }
      if (piece.pixels == 0) piece = {to + (rows.first + row * g.stride_h) * g.in_width + x, i, 0, 0};
      piece.lanes = static_cast<__mmask16>(piece.lanes | static_cast<unsigned>(first_lanes(some)) << i);
      piece.pixels += pixels;
    }
    i += g.pitch - column;
    column = 0;
  }
  if (piece.pixels > 0) body(piece);
}

// sums: the block of the first column of dx, [pixel][channel]; those of the next ones follow `next` floats apart.
void store_block(const InputGradient& g, const Rows& rows, float* sums, std::int64_t next, std::int64_t position, std::int64_t panel) {
  const std::int64_t plane = g.in_height * g.in_width;
  const std::int64_t left = g.in_channels - panel * gradient_tile;
  const int channels = left < gradient_tile ? static_cast<int>(left) : static_cast<int>(gradient_tile);
  float* const first = g.dx + panel * gradient_tile * plane;
  __m512 transposed[16];
  load_tile(sums, transposed);
  transpose(transposed);
  if (g.stride_w == 1) {
    parallel_for(g, rows, position, first, [&](const Piece& piece) STAIR_INLINE_BODY {
      float* to = piece.to;
      if (piece.lanes == 0xFFFF) {
        for (int c = 0; c < channels; ++c, to += plane) _mm512_storeu_ps(to, transposed[c]);
      } else if (g.stride_h == 1 && to + gradient_tile <= first + plane) {  // blocks to come write over what is too much
        for (int c = 0; c < channels; ++c, to += plane) _mm512_storeu_ps(to, _mm512_maskz_compress_ps(piece.lanes, transposed[c]));
      } else {
        const __mmask16 inside = first_lanes(piece.pixels);
        for (int c = 0; c < channels; ++c, to += plane) {
          _mm512_mask_storeu_ps(to, inside, _mm512_maskz_compress_ps(piece.lanes, transposed[c]));
        }
      }
    });
  } else if (g.stride_w == 2) {
    __m512 other[16];
    load_tile(sums + next, other);
    transpose(other);
    const __m512i lanes = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);  // from both in turn
    parallel_for(g, rows, position, first, [&](const Piece& piece) STAIR_INLINE_BODY {
      const __m512i low = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(piece.first)));
      const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
      float* to = piece.to;
      if (piece.pixels == 2 * gradient_tile) {
        for (int c = 0; c < channels; ++c, to += plane) {
          _mm512_storeu_ps(to, _mm512_permutex2var_ps(transposed[c], low, other[c]));
          _mm512_storeu_ps(to + 16, _mm512_permutex2var_ps(transposed[c], high, other[c]));
        }
        return;
      }
      const __mmask16 inside = first_lanes(piece.pixels);
      const __mmask16 behind = piece.pixels > 16 ? first_lanes(piece.pixels - 16) : __mmask16{0};
      for (int c = 0; c < channels; ++c, to += plane) {
        _mm512_mask_storeu_ps(to, inside, _mm512_permutex2var_ps(transposed[c], low, other[c]));
        _mm512_mask_storeu_ps(to + 16, behind, _mm512_permutex2var_ps(transposed[c], high, other[c]));
      }
    });
  } else {
    parallel_for(g, rows, position, first, [&](const Piece& piece) {
      for (int c = 0; c < channels; ++c) {
        for (std::int64_t i = 0; i < piece.pixels; ++i) {
          piece.to[c * plane + i] = sums[i % g.stride_w * next + (piece.first + i / g.stride_w) * gradient_tile + c];
        }
      }
    });
  }
}

// The lines of dx that a block goes to: on their way while it is computed.
void fetch_block(const InputGradient& g, const Rows& rows, std::int64_t position, std::int64_t panel) {
  const std::int64_t row = position / g.pitch;
  const std::int64_t plane = g.in_height * g.in_width;
  const float* to = g.dx + panel * gradient_tile * plane + (rows.first + row * g.stride_h) * g.in_width + position % g.pitch * g.stride_w;
  for (int c = 0; c < gradient_tile; ++c, to += plane) {
    _mm_prefetch(reinterpret_cast<const char*>(to), _MM_HINT_T0);
    if (g.stride_w > 1) _mm_prefetch(reinterpret_cast<const char*>(to + 16), _MM_HINT_T0);
  }
}

template <int blocks, int panels>
void run_blocks(const InputGradient& g, const InputPart* parts, const Rows& rows, const Together& together, std::int64_t panel,
                Ahead& ahead) {
  for (int b = 0; b < blocks; ++b) {
    for (int p = 0; p < panels; ++p) fetch_block(g, rows, together.position[b], panel + p);
  }
  constexpr std::int64_t next = blocks * panels * gradient_sums;
  for (std::int64_t column = 0; column < g.stride_w; ++column) {
    float* sums = g.transposed + column * next;
    if (g.narrow) {
      multiply<blocks, panels, 1>(g, parts[column], together, panel, sums, ahead);
    } else {
      multiply<blocks, panels, gradient_parts>(g, parts[column], together, panel, sums, ahead);
    }
  }
  for (int b = 0; b < blocks; ++b) {
    for (int p = 0; p < panels; ++p) {
      store_block(g, rows, g.transposed + (b * panels + p) * gradient_sums, next, together.position[b], panel + p);
    }
  }
}

// Blocks of 16 positions begin with each row anew, or run on over the rows, whichever takes fewer.
struct Blocks {
  std::int64_t of_row, count, pitch;
  std::int64_t start(std::int64_t block) const {
    return of_row == 0 ? block * gradient_tile : block / of_row * pitch + block % of_row * gradient_tile;
  }
};

Blocks cut(const InputGradient& g, const Rows& rows) {
  const std::int64_t of_row = (rows.columns + gradient_tile - 1) / gradient_tile;
  const std::int64_t running = ((rows.count - 1) * g.pitch + rows.columns + gradient_tile - 1) / gradient_tile;
  if (rows.count * of_row <= running) return {of_row, rows.count * of_row, g.pitch};
  return {0, running, g.pitch};
}

template <int panels>
void run_panels(const InputGradient& g, const InputPart* parts, const Rows& rows, const Blocks& blocks, std::int64_t panel, Ahead& ahead) {
  constexpr int most = input_gradient_blocks / panels;
  std::int64_t b = 0;
  const auto next = [&](std::int64_t count) {
    Together together{};
    for (std::int64_t i = 0; i < count; ++i) together.position[i] = blocks.start(b++);
    return together;
  };
  while (b + most <= blocks.count) run_blocks<most, panels>(g, parts, rows, next(most), panel, ahead);
  if (most == 4 && b + 2 <= blocks.count) run_blocks<2, panels>(g, parts, rows, next(2), panel, ahead);
  while (b < blocks.count) run_blocks<1, panels>(g, parts, rows, next(1), panel, ahead);
}

Ahead next_image(const InputGradient& g, std::int64_t panels) {
  std::int64_t steps = 0;
  for (const InputPart* part = g.parts; part < g.parts + g.stride_h * g.stride_w; ++part) steps += part->steps;
  const std::int64_t blocks = (g.in_height * g.in_width) / (g.stride_h * g.stride_w * gradient_tile) + 1;
  const std::int64_t rounds = (blocks * panels + input_gradient_blocks - 1) / input_gradient_blocks;
  const std::int64_t lines = g.out_channels * g.out_height * g.out_width / 16;
  return {g.dy + lines * 16, lines / (steps * rounds + 1) + 1};
}

void run_input_gradient(const InputGradient& g) {
  if (g.narrow) {
    copy_narrow(g);
  } else {
    copy_wide(g);
  }
  configure_tiles(tile_rows);
  const std::int64_t all_panels = (g.in_channels + gradient_tile - 1) / gradient_tile;
  Ahead ahead = next_image(g, all_panels);
  for (std::int64_t first = 0; first < g.stride_h && first < g.in_height; ++first) {
    const Rows rows{first, (g.in_height - first + g.stride_h - 1) / g.stride_h, (g.in_width + g.stride_w - 1) / g.stride_w};
    const InputPart* parts = g.parts + first * g.stride_w;
    const Blocks blocks = cut(g, rows);
    std::int64_t panel = 0;
    for (; panel + 2 <= all_panels; panel += 2) run_panels<2>(g, parts, rows, blocks, panel, ahead);
    if (panel < all_panels) run_panels<1>(g, parts, rows, blocks, panel, ahead);
  }
  _tile_release();
}

}  // namespace

void input_gradient(Kernels& kernels);
void input_gradient(Kernels& kernels) {
  kernels.input_gradient = run_input_gradient;
}

}  // namespace stair::backends::int8::amx
