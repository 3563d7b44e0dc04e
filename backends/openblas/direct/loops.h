#pragma once

#include <cstdint>

#include "backends/openblas/direct/finish.h"

namespace stair::backends::openblas::direct {

/// Neighbouring positions of a block that are neighbours in a row of the result, too: at most a vector of them.
struct Run {
  std::int32_t position;  ///< the first, counted in the block: vector v holds positions v * lanes to (v + 1) * lanes - 1
  std::int32_t to;        ///< where its result goes
  std::int32_t count;     ///< at most `lanes`
};

/// Some vectors of positions whose sums are kept in registers together.
struct Block {
  std::int32_t vectors;             ///< 1 to most_vectors
  std::int32_t start[3];            ///< where the vectors begin in the source
  std::int32_t first_run, run_end;  ///< of the plan's runs
  bool straight;                    ///< run v is what vector v begins with
};
inline constexpr std::int64_t most_vectors = 3;

/// Where the sums of some channels go, and what follows them on the way.
struct Finished {
  const Finish* finish;
  std::int64_t channel;  ///< the first, as `finish` counts them
  const float* other;    ///< what is added, as `to` lies; or nullptr
  float* to;
  std::int64_t to_stride;  ///< from channel to channel
};

/// One block of output channels over all blocks of positions.
struct Products {
  const float* source;
  const std::int32_t* offsets;  ///< of the taps
  std::int64_t taps;
  const float* weights;  ///< [tap][channel of the block]
  const Block* blocks;
  std::int64_t block_count;
  const Run* runs;
  Finished to;
  std::int64_t channels;  ///< of the block that are stored
};

/// to[r * columns + i] = from[r * from_step + i * stride] where first <= i < last, elsewhere 0. What is not copied is not read.
struct RowCopy {
  const float* from;
  std::int64_t from_step, stride;
  std::int64_t rows, columns;
  std::int64_t first, last;
  float* to;
};

inline constexpr std::int64_t most_lanes = 16;   ///< of any instruction set
inline constexpr std::int64_t line_floats = 16;  ///< of a cache line

/// Cache lines that a loop over tiles and taps fetches into the second-level cache while it computes: tile i < tiles, tap t, that of
/// from + i * tile_step + t * step. The first level holds what is at hand.
struct Ahead {
  const float* from;
  std::int64_t tile_step, tiles;
  std::int64_t step;
};

/// Some positions over a panel of output channels, in vectors along the channels: sums[i * sums_stride + o] (+)= the sum over t of
/// source[offsets[t] + positions[i]] * weights[t * width + o], where the panel has width = vectors * lanes channels.
struct Panel {
  const float* source;
  const std::int32_t* offsets;  ///< of the taps
  std::int64_t taps;
  const float* weights;
  std::int64_t vectors;  ///< 1 to Loops::panel_vectors
  const std::int32_t* positions;
  std::int64_t position_count;
  float* sums;
  std::int64_t sums_stride;
  bool adds;  ///< to sums that hold the taps before these; else from 0
  Ahead weights_ahead;
};

/// Sums of positions in vectors along the channels: that of position i, channel o is sums[i * sums_stride + o]. There are whole vectors of
/// both to read.
struct ChannelSums {
  const float* sums;
  std::int64_t sums_stride;
  std::int64_t positions, channels;
  Finished to;
};

/// A plane of a depthwise 3x3 convolution, without dilation.
struct Depthwise {
  const float* x;
  std::int64_t in_height, in_width;
  std::int64_t top, left;
  std::int64_t stride;  ///< of rows and columns: 1 or 2
  const float* weights;
  std::int64_t out_height, out_width;
  Finished to;
};

/// Of a tile's 4x4 input.
inline constexpr std::int64_t winograd_elements = 16;

/// A channel of an image in the tiles of Winograd's way: to[e * to_stride + t] = element e of B^T d B, where d are the 4x4 pixels of tile
/// t. The tiles lie in rows of `columns`, two pixels apart, from pixel (first_row, first_column) on; what lies outside of the image is 0.
/// Writes whole vectors.
struct WinogradInput {
  const float* image;
  std::int64_t height, width;
  std::int64_t first_row, first_column;
  std::int64_t rows, columns;  ///< of tiles
  float* pixels;               ///< memory of winograd_pixels(rows, columns)
  float* to;
  std::int64_t to_stride;

  std::int64_t tiles() const { return rows * columns; }
};
constexpr std::int64_t winograd_pixels(std::int64_t rows, std::int64_t columns) {
  return 8 * (rows + 1) * columns + 2 * most_lanes;
}

/// One element of the tiles: to[o * to_stride + t] = the sum over c of weights[c * Loops::channels + o] * inputs[c * stride + t], for
/// Loops::channels channels and whole vectors of tiles.
struct WinogradProducts {
  const float* inputs;
  std::int64_t stride;
  std::int64_t in_channels;
  const float* weights;
  std::int64_t vectors;
  float* to;
  std::int64_t to_stride;
};

/// The gradient by the sums from that by the pixels, in vectors of channels: to[e * to_stride + t * channels + o] = element e of A dy A^T,
/// where dy are the 2x2 pixels of tile t. The tiles lie in rows of `columns`; of their pixels, [height, width, channels] are at `dy`, the
/// others 0.
struct WinogradGradient {
  const float* dy;
  std::int64_t height, width;
  std::int64_t channels;       ///< whole vectors
  std::int64_t rows, columns;  ///< of tiles
  float* to;
  std::int64_t to_stride;
};

/// A channel of the result: the pixels of tile t are A^T m A, where m are the 4x4 elements sums[e * sums_stride + t]. The tiles lie in rows
/// of `columns`; of their pixels, `height` rows of `width` are in the result. Reads whole vectors.
struct WinogradOutput {
  const float* sums;
  std::int64_t sums_stride;
  std::int64_t rows, columns;  ///< of tiles
  float* lines;                ///< memory of winograd_lines(rows, columns)
  float* y;
  std::int64_t height, width;

  std::int64_t tiles() const { return rows * columns; }
};
constexpr std::int64_t winograd_lines(std::int64_t rows, std::int64_t columns) {
  return 4 * (rows * columns + most_lanes);
}

/// The inner loops of direct convolution, for one instruction set. Sums run over taps in order, each term by a fused multiply-add where the
/// processor has one (floats only; the arithmetic contract is about integers): the same bits for any cut of the work.
struct Loops {
  const char* name;       ///< of the instruction set, as runtime/peak has it
  std::int64_t channels;  ///< output channels of a block
  std::int64_t lanes;     ///< floats of a vector

  /// The sum at a position is that over t of weights[t * channels + o] * source[offsets[t] + position].
  void (*products)(const Products& products);
  /// The same where blocks have one channel.
  void (*products_of_one)(const Products& products);
  /// sums[t * sums_stride + o] += sum over rows r and columns i of source[offsets[t] + r * pitch + i] * dy[(r * columns + i) * dy_stride +
  /// o], for `taps` taps and `channels` channels, a multiple of `lanes`.
  void (*gradient)(const float* source, const std::int32_t* offsets, std::int64_t taps, std::int64_t rows, std::int64_t columns,
                   std::int64_t pitch, const float* dy, std::int64_t dy_stride, std::int64_t channels, float* sums,
                   std::int64_t sums_stride);
  void (*copy_rows)(const RowCopy& copy);
  /// to[c * to_step + r] = from[r * from_step + c]
  void (*transpose)(const float* from, std::int64_t from_step, std::int64_t rows, std::int64_t columns, float* to, std::int64_t to_step);
  void (*store_channels)(const ChannelSums& sums);
  void (*depthwise)(const Depthwise& plane);
  void (*winograd_input)(const WinogradInput& input);
  void (*winograd_products)(const WinogradProducts& products);
  void (*winograd_gradient)(const WinogradGradient& gradient);
  void (*winograd_output)(const WinogradOutput& output);
  void (*panel)(const Panel& panel);
  /// Finishes `count` sums of the first channel, which lie where the result goes.
  void (*finish_row)(const Finished& row, std::int64_t count);
  std::int64_t panel_vectors;  ///< of a whole panel
};

/// Those of the best instruction set that this machine has.
const Loops& loops();

// One file each, built with its instructions switched on.
const Loops* avx512_loops();  ///< nullptr where the compiler's target has none
const Loops* avx2_loops();
const Loops* baseline_loops();

}  // namespace stair::backends::openblas::direct
