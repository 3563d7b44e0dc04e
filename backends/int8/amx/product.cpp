#include "backends/int8/avx512_vnni/vector.h"
//
#include "backends/int8/avx512_vnni/product.h"
//
#include "backends/int8/amx/finish.h"

// Products on AMX tiles: 16 rows x 64 bytes of activations by 64 x 16 weights. 2 x 2 tiles of sums at a time, or 4 x 1.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t channel_step = 64;           // the results of so many channels are a cache line
constexpr std::int64_t first_level = 24 * 1024;     // bytes of weights that stay in the first-level cache, beside rows and sums
constexpr std::int64_t second_level = 1024 * 1024;  // and in the second-level one

/// Rows that lie evenly spaced in memory, of which those at the end of each line may be none of the product's: where a line's padding lies
/// between it and the next.
struct Strip {
  const std::uint8_t* begin;
  std::int64_t length, pitch, first_line;
};

/// Where weights come from.
enum class Way : std::uint8_t {
  near,    ///< the first-level cache
  second,  ///< the second-level one: they go past the first one, which is for the rows
  far      ///< farther away: besides, they are asked for ahead of time
};

/// What the blocks of a product share. The sums of a block are stored when the next one begins: storing a tile takes the multiplier's time
/// where it stands alone, but not between products.
struct Blocks {
  alignas(64) std::int32_t sums[most_rows * lanes];  // [row][panel][channel]
  BlockRows rows[2];                                 // of the blocks at hand and, where they begin anew, of the pending one
  int current = 0;
  BlockRows no_rows;
  Pending pending{&no_rows};
};

/// The tile's sums of the block before go to memory, two panels side by side or the tiles of one panel one below the other, and it begins
/// with zeros.
template <int tile, int panels>
STAIR_INLINE void begin_sums(Blocks& blocks) {
  constexpr std::int64_t stride = panels * lanes * 4;
  constexpr std::int64_t below = tile_rows * lanes;
  if constexpr (tile == 0) {
    _tile_stored(0, blocks.sums, stride);
    _tile_zero(0);
  } else if constexpr (tile == 1) {
    _tile_stored(1, blocks.sums + (panels == 2 ? lanes : below), stride);
    _tile_zero(1);
  } else if constexpr (tile == 2) {
    _tile_stored(2, blocks.sums + 2 * below, stride);
    _tile_zero(2);
  } else {
    _tile_stored(3, blocks.sums + (panels == 2 ? 2 * below + lanes : 3 * below), stride);
    _tile_zero(3);
  }
}

/// The whole epilogue of the pending block.
template <template <int> class Finish, int panels>
void flush(const Product& p, Blocks& blocks) {
  begin_sums<0, panels>(blocks);
  begin_sums<1, panels>(blocks);
  begin_sums<2, panels>(blocks);
  begin_sums<3, panels>(blocks);
  Finish<panels>(p, blocks.pending, blocks.sums).rest();
}

/// Tile 6 or 7, weights. (The compiler takes numbers of tiles as text.)
template <int tile, Way way>
STAIR_INLINE void load_weight_tile(const std::int8_t* weights) {
  if constexpr (tile == 6 && way == Way::near) _tile_loadd(6, weights, 64);
  if constexpr (tile == 6 && way != Way::near) _tile_stream_loadd(6, weights, 64);
  if constexpr (tile == 7 && way == Way::near) _tile_loadd(7, weights, 64);
  if constexpr (tile == 7 && way != Way::near) _tile_stream_loadd(7, weights, 64);
  if constexpr (way == Way::far) {
    constexpr std::int64_t ahead = 12 * 1024;  // bytes
    for (std::int64_t i = 0; i < 1024; i += 64) _mm_prefetch(reinterpret_cast<const char*>(weights) + ahead + i, _MM_HINT_T1);
  }
}

/// Operands of a step along the k axis. Weights of the second panel begin panel_bytes behind those of the first.
struct Step {
  const std::uint8_t* x;
  std::int64_t stride;
  const std::int8_t* weights;
  std::int64_t panel_bytes;
};

/// Sums of row_tiles * 16 rows with `panels` panels in tiles 0 to 3, 2 x 2 with the panels side by side, or 4 x 1; between the products
/// come `turns` <= 4 turns of the pending block's epilogue. The order of the loads and products is the fastest of those tried: it decides
/// over a tenth of the time.
template <int row_tiles, int panels, Way way, bool begin, class Finish>
STAIR_INLINE void multiply_step(const Step& s, Blocks& blocks, Finish& finish, std::int64_t turns) {
  load_weight_tile<6, way>(s.weights);
  _tile_loadd(4, s.x, s.stride);
  if constexpr (panels == 2) load_weight_tile<7, way>(s.weights + s.panel_bytes);
  if constexpr (row_tiles > 1) _tile_loadd(5, s.x + tile_rows * s.stride, s.stride);
  if constexpr (begin) begin_sums<0, panels>(blocks);
  _tile_dpbusd(0, 4, 6);
  if constexpr (!begin) {
    if (turns > 2) finish.turn();
  }
  if constexpr (row_tiles == 4) {
    if constexpr (begin) begin_sums<1, panels>(blocks);
    _tile_dpbusd(1, 5, 6);
    if constexpr (!begin) {
      if (turns > 1) finish.turn();
    }
    _tile_loadd(4, s.x + 2 * tile_rows * s.stride, s.stride);
    if constexpr (begin) begin_sums<2, panels>(blocks);
    _tile_dpbusd(2, 4, 6);
    if constexpr (!begin) {
      if (turns > 3) finish.turn();
    }
    _tile_loadd(5, s.x + 3 * tile_rows * s.stride, s.stride);
    if constexpr (begin) begin_sums<3, panels>(blocks);
    _tile_dpbusd(3, 5, 6);
  } else {
    if constexpr (begin) begin_sums<2, panels>(blocks);
    if constexpr (row_tiles == 2 && panels == 2) _tile_dpbusd(2, 5, 6);
    if constexpr (!begin) {
      if (turns > 1) finish.turn();
    }
    if constexpr (begin) begin_sums<1, panels>(blocks);
    if constexpr (row_tiles == 2 && panels == 1) _tile_dpbusd(1, 5, 6);
    if constexpr (panels == 2) _tile_dpbusd(1, 4, 7);
    if constexpr (!begin) {
      if (turns > 3) finish.turn();
    }
    if constexpr (begin) begin_sums<3, panels>(blocks);
    if constexpr (row_tiles == 2 && panels == 2) _tile_dpbusd(3, 5, 7);
  }
  finish.turn();
}

/// A block of row_tiles * 16 rows and `panels` panels, beside the epilogue of the one before. Where `next` isn't nullptr, it is a row that
/// will be read soon, of one run: it is asked for.
template <int row_tiles, int panels, Way way, template <int> class Finish>
void run_block(const Product& p, const std::uint8_t* rows, std::int64_t channel, const std::uint8_t* next, Blocks& blocks) {
  if (blocks.pending.panels != panels) {
    flush<Finish, 3 - panels>(p, blocks);
    blocks.pending = {&blocks.no_rows, panels};
  }
  const std::int64_t panel_bytes = p.runs * p.groups * 4 * lanes;
  const std::int64_t steps = p.groups / p.groups_per_step;
  const std::int64_t step_bytes = 4 * p.groups_per_step;
  Finish<panels> finish(p, blocks.pending, blocks.sums);
  constexpr std::int64_t all_turns = row_tiles * tile_rows / Finish<panels>::rows_a_turn;
  const std::int64_t turns = (all_turns + steps * p.runs - 1) / (steps * p.runs);
  Step s{rows + p.run_offsets[0], p.row_stride, p.weights + channel / lanes * panel_bytes, panel_bytes};
  multiply_step<row_tiles, panels, way, true>(s, blocks, finish, turns);
  for (std::int64_t run = 0, step = 1; run < p.runs; ++run, step = 0) {
    s.x = rows + p.run_offsets[run] + step * step_bytes;
    for (; step < steps; ++step, s.x += step_bytes) {
      s.weights += lanes * step_bytes;
      if (next != nullptr) _mm_prefetch(reinterpret_cast<const char*>(next) + step * step_bytes, _MM_HINT_T1);
      multiply_step<row_tiles, panels, way, false>(s, blocks, finish, turns);
    }
  }
  finish.rest();
  const std::int64_t left = p.channels - channel;
  blocks.pending = {&blocks.rows[blocks.current], panels, channel, left < panels * lanes ? left : panels * lanes};
}

/// Rows of a strip from `row` on with the channels from `first` to `last`, two panels at a time or, with four tiles of rows, one.
template <int row_tiles, Way way, template <int> class Finish>
void run_panels(const Product& p, const std::uint8_t* rows, std::int64_t first, std::int64_t last, const std::uint8_t* next,
                Blocks& blocks) {
  std::int64_t channel = first;
  if constexpr (row_tiles < 4) {
    for (; last - channel > lanes; channel += 2 * lanes) {
      run_block<row_tiles, 2, way, Finish>(p, rows, channel, next, blocks);
      if (next != nullptr) next += p.row_stride;
    }
  }
  for (; channel < last; channel += lanes) run_block<row_tiles, 1, way, Finish>(p, rows, channel, nullptr, blocks);
}

template <int row_tiles, template <int> class Finish>
void run_rows(const Product& p, const Strip& strip, std::int64_t row, std::int64_t first, std::int64_t last, Way way, Blocks& blocks) {
  blocks.current ^= 1;
  const std::int64_t line = row / strip.pitch;
  const std::int64_t left = strip.length - row;
  blocks.rows[blocks.current].list(left < row_tiles * tile_rows ? left : row_tiles * tile_rows, strip.first_line + line,
                                   row - line * strip.pitch, p.columns, strip.pitch);
  const std::uint8_t* rows = strip.begin + row * p.row_stride;
  // With each two panels a row of the next block.
  const std::uint8_t* next = p.runs == 1 && left >= 2 * row_tiles * tile_rows ? rows + row_tiles * tile_rows * p.row_stride : nullptr;
  switch (way) {
    case Way::near:
      return run_panels<row_tiles, Way::near, Finish>(p, rows, first, last, next, blocks);
    case Way::second:
      return run_panels<row_tiles, Way::second, Finish>(p, rows, first, last, next, blocks);
    case Way::far:
      return run_panels<row_tiles, Way::far, Finish>(p, rows, first, last, next, blocks);
  }
}

/// All rows of the strip with the channels from `first` to `last`, `most_tiles` tiles of them at a time: what these write lies side by
/// side. Weights come by `way` for the first of them, then by `again`.
template <int most_tiles, template <int> class Finish>
void run_strip(const Product& p, const Strip& strip, std::int64_t first, std::int64_t last, Way way, Way again, Blocks& blocks) {
  // Nothing may be read behind the last row: the last tiles begin earlier, and some rows are computed twice.
  const auto room_for = [&](std::int64_t row, int tiles) {
    const std::int64_t left = strip.length - row;
    return left > (tiles - 1) * tile_rows && (p.slack || left >= tiles * tile_rows);
  };
  std::int64_t row = 0;
  for (; room_for(row, most_tiles); row += most_tiles * tile_rows, way = again) {
    run_rows<most_tiles, Finish>(p, strip, row, first, last, way, blocks);
  }
  for (; most_tiles == 4 && room_for(row, 2); row += 2 * tile_rows, way = again) {
    run_rows<2, Finish>(p, strip, row, first, last, way, blocks);
  }
  const std::int64_t end = p.slack ? strip.length : strip.length - tile_rows;
  for (; row < strip.length; row += tile_rows, way = again) {
    run_rows<1, Finish>(p, strip, row < end ? row : end, first, last, way, blocks);
  }
}

template <int panels>
using Requantized = FloatFinish<Join::none, panels>;
template <int panels>
using Added = FloatFinish<Join::point, panels>;

std::int64_t tiles_of(std::int64_t rows) {
  return (rows + tile_rows - 1) / tile_rows;
}

template <template <int> class Finish>
void run_strips(const Product& p, const Strip& first_strip, std::int64_t strips) {
  // Where all rows fit four tiles, weights are read but once: that is what bounds such a product. A single panel has no other to go with.
  const std::int64_t length = first_strip.length;
  const bool four = p.channels <= lanes || (length > 2 * tile_rows && strips == 1 && length <= most_rows);
  const std::int64_t channel_bytes = p.runs * p.groups * 4;
  const std::int64_t fitting = second_level / channel_bytes / channel_step * channel_step;
  const std::int64_t together = fitting > channel_step ? fitting : channel_step;
  configure_tiles(p.groups_per_step);
  Blocks blocks;
  for (std::int64_t first = 0; first < p.channels; first += together) {
    const std::int64_t last = p.channels - first < together ? p.channels : first + together;
    const bool stays = (last - first) * channel_bytes <= first_level;
    const Way again = stays ? Way::near : Way::second;
    Way way = stays ? Way::near : four ? Way::far : Way::second;
    Strip strip = first_strip;
    for (; strip.first_line < strips; ++strip.first_line, strip.begin += p.line_stride, way = again) {
      const auto run = four ? run_strip<4, Finish> : run_strip<2, Finish>;
      run(p, strip, first, last, way, again, blocks);
    }
  }
  if (blocks.pending.panels == 2) {
    flush<Finish, 2>(p, blocks);
  } else {
    flush<Finish, 1>(p, blocks);
  }
  _tile_release();
}

/// Lines of fewer than 16 rows each to planes, by way of rows of logits.
void run_short_lines(const Product& p) {
  const std::int64_t panel_bytes = p.runs * run_bytes(p);
  alignas(64) float logits[tile_rows * channel_step];
  for (std::int64_t line = 0; line < p.lines; ++line) {
    for (std::int64_t channel = 0; channel < p.channels; channel += channel_step) {
      Product part = p;
      part.lines = 1;
      part.activations += line * p.line_stride;
      part.weights += channel / lanes * panel_bytes;
      part.first_channel += channel;
      part.channels = p.channels - channel < channel_step ? p.channels - channel : channel_step;
      part.to = reinterpret_cast<std::byte*>(logits);
      part.to_stride = channel_step * static_cast<std::int64_t>(sizeof(float));
      part.plane = 0;
      run_vectors(part);
      float* to = reinterpret_cast<float*>(p.to) + channel * p.plane + line * p.columns;
      for (std::int64_t c = 0; c < part.channels; ++c, to += p.plane) {
        for (std::int64_t i = 0; i < p.columns; ++i) to[i] = logits[i * channel_step + c];
      }
    }
  }
}

void run_product(const Product& p) {
  // One strip over all lines, with what lies between them, or a strip a line: whatever takes fewer tiles.
  const std::int64_t pitch = p.lines == 1 ? p.columns : p.line_stride / p.row_stride;
  const std::int64_t length = (p.lines - 1) * pitch + p.columns;
  const bool joined = tiles_of(length) <= p.lines * tiles_of(p.columns);
  // Few rows are bound by the weights' way from memory, and vectors read them as fast.
  const std::int64_t strip_length = joined ? length : p.columns;
  if (p.lines * p.columns < 8 || (!p.slack && strip_length < tile_rows)) return p.plane > 0 ? run_short_lines(p) : run_vectors(p);

  const Strip strip{p.activations, strip_length, pitch, 0};
  const std::int64_t strips = joined ? 1 : p.lines;
  if (PlaneFinish<1>::fits(p)) return run_strips<PlaneFinish>(p, strip, strips);
  if (Requantized<1>::fits(p)) return run_strips<Requantized>(p, strip, strips);
  if (Added<1>::fits(p)) return run_strips<Added>(p, strip, strips);
  run_strips<AnyFinish>(p, strip, strips);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.tiles = true;
  kernels.planes = true;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::amx
