#include "backends/int8/avx512_vnni/vector.h"
//
#include "backends/int8/amx/tiles.h"
#include "backends/int8/avx512_vnni/product.h"

// Products on AMX tiles: 16 rows x 64 bytes of activations by 64 x 16 weights. 2 x 2 tiles of sums at a time, or 4 x 1.

namespace stair::backends::int8::amx {
namespace {

constexpr std::int64_t most_rows = 4 * tile_rows;
constexpr std::int64_t channel_step = 64;          // the results of so many channels are a cache line
constexpr std::int64_t first_level = 24 * 1024;    // bytes of weights that stay in the first-level cache, beside rows and sums
constexpr std::int64_t second_level = 512 * 1024;  // and in the second-level one

/// Rows that lie evenly spaced in memory, of which those at the end of each line may be none of the product's: where a line's padding lies
/// between it and the next.
struct Strip {
  const std::uint8_t* begin;
  std::int64_t length, pitch, first_line;
};

/// The epilogue that most products have, a requantization (N-REQ-FLOAT) and nothing else: what is the same for all of its rows is computed
/// once, so that a few rows at a time fit between the tiles. Other products take the general way.
struct Plain {
  bool chosen;
  Bounds bounds;

  explicit Plain(const Product& p)
      : chosen(p.epilogue->rescale == Rescale::floating && p.epilogue->steps == nullptr && p.epilogue->residual.join == Join::none),
        bounds(*p.epilogue) {}

  STAIR_INLINE void finish(const Product& p, std::int32_t* sums, std::int64_t sums_stride, std::int64_t row, std::int64_t rows,
                           std::int64_t channel, std::int64_t channels) const {
    if (!chosen || channels % lanes != 0) return finish_block(p, sums, sums_stride, row, rows, channel, channels);
    if (p.row_offsets != nullptr) add_row_offsets(p, sums, sums_stride, row, rows);
    const Epilogue& e = *p.epilogue;
    const Quantizer none(1, 0, 0, 0);  // of a residual addition
    const Tile tile{sums,        sums_stride, rows, p.first_channel + channel, channels, p.to + row * p.to_stride + channel,
                    p.to_stride, nullptr,     0};
    for (std::int64_t c = 0; c < channels; c += lanes) {
      finish_channels<Rescale::floating, false, Join::none, true>(e, tile, c, lanes, bounds, none);
    }
  }
};

/// Sums that wait for their epilogue: it runs on vectors while the tiles multiply the next block.
struct Pending {
  std::int32_t* sums;
  std::int64_t sums_stride, channel, channels;
  std::int64_t pitch;         ///< of the strip
  std::int64_t line, column;  ///< of the first row: what row of the product its line begins with, and where in the line it stands
  std::int64_t count = 0;     ///< rows that are left

  /// The epilogue of the next `rows` rows. Those between the lines are none of the product's.
  STAIR_INLINE void finish(const Product& p, const Plain& plain, std::int64_t rows) {
    while (rows > 0 && count > 0) {
      const bool inside = column < p.columns;
      const std::int64_t length = (inside ? p.columns : pitch) - column;
      std::int64_t some = length < count ? length : count;
      if (inside) {
        if (some > rows) some = rows;
        plain.finish(p, sums, sums_stride, line + column, some, channel, channels);
        rows -= some;
      }
      sums += some * sums_stride;
      count -= some;
      column += some;
      if (column == pitch) {
        column = 0;
        line += p.columns;
      }
    }
  }
};

/// What the blocks of a product share.
struct Blocks {
  Plain plain;
  alignas(64) std::int32_t sums[2][most_rows * lanes];
  int current = 0;
  Pending pending;

  explicit Blocks(const Product& p) : plain(p) {}
};

/// Tile 6 or 7, weights. Those that are read `once` for rows that stay in the first-level cache go past it. (The compiler takes numbers of
/// tiles as text.)
template <int tile, bool once>
STAIR_INLINE void load_weight_tile(const std::int8_t* weights) {
  if constexpr (tile == 6 && once) _tile_stream_loadd(6, weights, 64);
  if constexpr (tile == 6 && !once) _tile_loadd(6, weights, 64);
  if constexpr (tile == 7 && once) _tile_stream_loadd(7, weights, 64);
  if constexpr (tile == 7 && !once) _tile_loadd(7, weights, 64);
}

/// Sums of row_tiles * 16 rows from `rows` on with `panels` panels. Weights of the second panel begin panel_bytes behind those of the
/// first.
template <int row_tiles, int panels, bool once>
STAIR_INLINE void multiply_tiles(const Product& p, const std::uint8_t* rows, const std::int8_t* weights, std::int64_t panel_bytes,
                                 const Plain& plain, Pending& pending, std::int32_t* sums) {
  const std::int64_t stride = p.row_stride;
  const std::int64_t steps = p.groups / p.groups_per_step;
  const std::int64_t all_steps = steps * p.runs;
  constexpr std::int64_t least_rows = 2;  // for which the parameters of an epilogue are worth loading
  const std::int64_t share = (pending.count + all_steps - 1) / all_steps;
  const std::int64_t pending_rows = share < least_rows ? least_rows : share;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t run = 0; run < p.runs; ++run) {
    const std::uint8_t* x = rows + p.run_offsets[run];
    for (std::int64_t step = 0; step < steps; ++step, x += 4 * p.groups_per_step, weights += 64 * p.groups_per_step) {
      load_weight_tile<6, once>(weights);
      _tile_loadd(4, x, stride);
      _tile_dpbusd(0, 4, 6);
      if constexpr (row_tiles == 4) {
        _tile_loadd(5, x + tile_rows * stride, stride);
        _tile_dpbusd(1, 5, 6);
        _tile_loadd(4, x + 2 * tile_rows * stride, stride);
        _tile_dpbusd(2, 4, 6);
        _tile_loadd(5, x + 3 * tile_rows * stride, stride);
        _tile_dpbusd(3, 5, 6);
      } else {
        if constexpr (panels == 2) {
          load_weight_tile<7, once>(weights + panel_bytes);
          _tile_dpbusd(1, 4, 7);
        }
        if constexpr (row_tiles == 2) {
          _tile_loadd(5, x + tile_rows * stride, stride);
          _tile_dpbusd(2, 5, 6);
          if constexpr (panels == 2) _tile_dpbusd(3, 5, 7);
        }
      }
      pending.finish(p, plain, pending_rows);
    }
  }
  constexpr std::int64_t sums_stride = panels * lanes;
  constexpr std::int64_t row_bytes = sums_stride * 4;
  if constexpr (row_tiles == 4) {
    _tile_stored(0, sums, row_bytes);
    _tile_stored(1, sums + tile_rows * sums_stride, row_bytes);
    _tile_stored(2, sums + 2 * tile_rows * sums_stride, row_bytes);
    _tile_stored(3, sums + 3 * tile_rows * sums_stride, row_bytes);
  } else {
    _tile_stored(0, sums, row_bytes);
    if constexpr (panels == 2) _tile_stored(1, sums + lanes, row_bytes);
    if constexpr (row_tiles == 2) _tile_stored(2, sums + tile_rows * sums_stride, row_bytes);
    if constexpr (row_tiles == 2 && panels == 2) _tile_stored(3, sums + tile_rows * sums_stride + lanes, row_bytes);
  }
}

template <int row_tiles, int panels, bool once>
STAIR_INLINE void run_block(const Product& p, const Strip& strip, std::int64_t row, std::int64_t channel, Blocks& blocks) {
  const std::int64_t panel_bytes = p.runs * p.groups * 4 * lanes;
  std::int32_t* sums = blocks.sums[blocks.current];
  multiply_tiles<row_tiles, panels, once>(p, strip.begin + row * p.row_stride, p.weights + channel / lanes * panel_bytes, panel_bytes,
                                          blocks.plain, blocks.pending, sums);
  const std::int64_t left = p.channels - channel;
  const std::int64_t rows = strip.length - row;
  const std::int64_t line = strip.pitch == strip.length ? 0 : row / strip.pitch;
  blocks.pending = {sums,
                    panels * lanes,
                    channel,
                    left < panels * lanes ? left : panels * lanes,
                    strip.pitch,
                    (strip.first_line + line) * p.columns,
                    row - line * strip.pitch,
                    rows < row_tiles * tile_rows ? rows : row_tiles * tile_rows};
  blocks.current ^= 1;
}

/// Rows of a strip from `row` on with the channels from `first` to `last`, two panels at a time or, with four tiles of rows, one.
template <int row_tiles, bool once>
void run_row(const Product& p, const Strip& strip, std::int64_t row, std::int64_t first, std::int64_t last, Blocks& blocks) {
  std::int64_t channel = first;
  if constexpr (row_tiles < 4) {
    for (; last - channel > lanes; channel += 2 * lanes) run_block<row_tiles, 2, once>(p, strip, row, channel, blocks);
  }
  for (; channel < last; channel += lanes) run_block<row_tiles, 1, once>(p, strip, row, channel, blocks);
}

/// All rows of the strip with the channels from `first` to `last`, `most_tiles` tiles of them at a time: what these write lies side by
/// side.
template <int most_tiles, bool once>
void run_strip(const Product& p, const Strip& strip, std::int64_t first, std::int64_t last, Blocks& blocks) {
  // Nothing may be read behind the last row: the last tiles begin earlier, and some rows are computed twice.
  const auto room_for = [&](std::int64_t row, int tiles) {
    const std::int64_t left = strip.length - row;
    return left > (tiles - 1) * tile_rows && (p.slack || left >= tiles * tile_rows);
  };
  std::int64_t row = 0;
  for (; room_for(row, most_tiles); row += most_tiles * tile_rows) {
    run_row<most_tiles, once>(p, strip, row, first, last, blocks);
  }
  for (; most_tiles == 4 && room_for(row, 2); row += 2 * tile_rows) run_row<2, once>(p, strip, row, first, last, blocks);
  const std::int64_t end = p.slack ? strip.length : strip.length - tile_rows;
  for (; row < strip.length; row += tile_rows) {
    run_row<1, once>(p, strip, row < end ? row : end, first, last, blocks);
  }
}

std::int64_t tiles_of(std::int64_t rows) {
  return (rows + tile_rows - 1) / tile_rows;
}

void run_product(const Product& p) {
  // One strip over all lines, with what lies between them, or a strip a line: whatever takes fewer tiles.
  const std::int64_t pitch = p.lines == 1 ? p.columns : p.line_stride / p.row_stride;
  const std::int64_t length = (p.lines - 1) * pitch + p.columns;
  const bool joined = tiles_of(length) <= p.lines * tiles_of(p.columns);
  // Few rows are bound by the weights' way from memory, and vectors read them as fast.
  const std::int64_t strip_length = joined ? length : p.columns;
  if (p.lines * p.columns < 8 || (!p.slack && strip_length < tile_rows)) return run_vectors(p);

  configure_tiles(p.groups_per_step);
  const std::int64_t strips = joined ? 1 : p.lines;
  // Where all rows fit four tiles, weights are read but once: that is what bounds such a product. A single panel has no other to go with.
  const bool four = p.channels <= lanes || (strip_length > 2 * tile_rows && strips == 1 && strip_length <= most_rows);
  const std::int64_t channel_bytes = p.runs * p.groups * 4;
  const std::int64_t fitting = second_level / channel_bytes / channel_step * channel_step;
  const std::int64_t together = fitting > channel_step ? fitting : channel_step;
  Blocks blocks(p);
  for (std::int64_t first = 0; first < p.channels; first += together) {
    const std::int64_t last = p.channels - first < together ? p.channels : first + together;
    const bool once = (last - first) * channel_bytes > first_level;
    const auto run = once ? (four ? run_strip<4, true> : run_strip<2, true>) : (four ? run_strip<4, false> : run_strip<2, false>);
    for (std::int64_t s = 0; s < strips; ++s) {
      run(p, {p.activations + s * p.line_stride, strip_length, pitch, s}, first, last, blocks);
    }
  }
  blocks.pending.finish(p, blocks.plain, most_rows);
  _tile_release();
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.tiles = true;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::amx
