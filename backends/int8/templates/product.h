#pragma once

// Sums of products on vectors, over vector.h of a variant, which stands before this in the including file. The variant says how many rows
// go with how many vectors of channels: as many sums as its registers hold.

#include "backends/int8/templates/epilogue.h"

namespace stair::backends::int8 {
namespace {

/// Walks the rows of a product in order.
class RowCursor {
 public:
  explicit RowCursor(const Product& p) : line_(p.activations), at_(p.activations), product_(p) {}
  STAIR_INLINE const std::uint8_t* next() {
    const std::uint8_t* row = at_;
    at_ += product_.row_stride;
    if (++column_ == product_.columns) {
      column_ = 0;
      line_ += product_.line_stride;
      at_ = line_;
    }
    return row;
  }

 private:
  const std::uint8_t* line_;
  const std::uint8_t* at_;
  std::int64_t column_ = 0;
  const Product& product_;
};

/// Weights that are asked for while others are multiplied: `pace` bytes with each group.
struct Ahead {
  const std::int8_t* from;
  std::int64_t pace;
};

/// sums[row][channel] of `rows` rows and `vectors` panels; weights of panel v begin at weights + v * panel_bytes. Those `ahead` are asked
/// for meanwhile.
template <int rows, int vectors, bool ask>
STAIR_INLINE void multiply_block(const Product& p, const std::uint8_t* const* row, const std::int8_t* weights, std::int64_t panel_bytes,
                                 Ahead ahead, std::int32_t* sums) {
  I32 sum[rows][vectors];
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int v = 0; v < vectors; ++v) sum[m][v] = splat(0);
  }
  for (std::int64_t run = 0; run < p.runs; ++run) {
    const std::uint8_t* x[rows];
#pragma GCC unroll 32
    for (int m = 0; m < rows; ++m) x[m] = row[m] + p.run_offsets[run];
    for (std::int64_t group = 0; group < p.groups; ++group, weights += 4 * lanes) {
      Weights w[vectors];
      if constexpr (ask) {
        __builtin_prefetch(ahead.from, 0, 2);
        ahead.from += ahead.pace;
      }
#pragma GCC unroll 32
      for (int v = 0; v < vectors; ++v) w[v] = load_weights(weights + v * panel_bytes);
#pragma GCC unroll 32
      for (int m = 0; m < rows; ++m) {
        const Activations a = broadcast4(x[m] + 4 * group);
#pragma GCC unroll 32
        for (int v = 0; v < vectors; ++v) sum[m][v] = dot4(sum[m][v], a, w[v]);
      }
    }
  }
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int v = 0; v < vectors; ++v) store(sums + (m * vectors + v) * lanes, sum[m][v]);
  }
}

/// The same where only `count` <= rows are left.
template <int rows, int vectors>
STAIR_INLINE void multiply_some(const Product& p, std::int64_t count, const std::uint8_t* const* row, const std::int8_t* weights,
                                std::int64_t panel_bytes, Ahead ahead, std::int32_t* sums) {
  if (count == rows) {
    if (ahead.from != nullptr) return multiply_block<rows, vectors, true>(p, row, weights, panel_bytes, ahead, sums);
    return multiply_block<rows, vectors, false>(p, row, weights, panel_bytes, ahead, sums);
  }
  if constexpr (rows > 1) multiply_some<rows - 1, vectors>(p, count, row, weights, panel_bytes, ahead, sums);
}

/// Adds what belongs to whole rows.
void add_row_offsets(const Product& p, std::int32_t* sums, std::int64_t sums_stride, std::int64_t row, std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i, sums += sums_stride) {
    const I32 offset = splat(p.row_offsets[row + i]);
    for (std::int64_t c = 0; c < sums_stride; c += lanes) store(sums + c, load(sums + c) + offset);
  }
}

/// The epilogue of rows from `row` on and channels from `channel` on, both counted from the product's first. Rows of sums are whole panels.
STAIR_INLINE void finish_block(const Product& p, std::int32_t* sums, std::int64_t sums_stride, std::int64_t row, std::int64_t rows,
                               std::int64_t channel, std::int64_t channels) {
  if (p.row_offsets != nullptr) add_row_offsets(p, sums, sums_stride, row, rows);
  const std::uint8_t* other = p.other == nullptr ? nullptr : p.other + row * p.other_stride + channel;
  run_epilogue(*p.epilogue, {sums, sums_stride, rows, p.first_channel + channel, channels,
                             p.to + row * p.to_stride + channel * result_bytes(*p.epilogue), p.to_stride, other, p.other_stride});
}

/// Bytes of a run of a panel.
STAIR_INLINE std::int64_t run_bytes(const Product& p) {
  const std::int64_t groups_per_word = 8 / p.weight_bits;
  return (p.groups + groups_per_word - 1) / groups_per_word * 4 * lanes;
}

/// Of the word at p, the weights of group i: the first field is the lowest.
template <int bits>
STAIR_INLINE Weights load_weights(const std::int8_t* p, int i) {
  if constexpr (bits == 8) return load_weights(p);
  return high_field<bits>(load_block(reinterpret_cast<const std::uint8_t*>(p)), i);
}

/// So few rows that the weights' way from memory is what takes time: those of `panels` panels are read side by side in the order in which
/// they lie, `chains` groups at a time or more, each into sums of its own. (Asking for weights ahead of time only costs: the processor
/// does.)
template <int rows, int panels, int chains, int bits>
STAIR_INLINE void multiply_stream(const Product& p, const std::uint8_t* const* row, const std::int8_t* weights, std::int64_t panel_bytes,
                                  std::int32_t* sums) {
  constexpr int fields = 8 / bits;  // of a word
  constexpr int step = chains > fields ? chains : fields;
  I32 sum[rows][panels][chains];
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int i = 0; i < panels * chains; ++i) sum[m][i / chains][i % chains] = splat(0);
  }
  for (std::int64_t run = 0; run < p.runs; ++run) {
    // The products of group `group`, the i-th from the word at `weights` on.
    const auto multiply_group = [&](std::int64_t group, int i) STAIR_INLINE_BODY {
      Weights w[panels];
#pragma GCC unroll 32
      for (int v = 0; v < panels; ++v) w[v] = load_weights<bits>(weights + v * panel_bytes + i / fields * 4 * lanes, i % fields);
#pragma GCC unroll 32
      for (int m = 0; m < rows; ++m) {
        const Activations a = broadcast4(row[m] + p.run_offsets[run] + 4 * group);
#pragma GCC unroll 32
        for (int v = 0; v < panels; ++v) sum[m][v][i % chains] = dot4(sum[m][v][i % chains], a, w[v]);
      }
    };
    std::int64_t group = 0;
    for (; group + step <= p.groups; group += step, weights += step / fields * 4 * lanes) {
#pragma GCC unroll 32
      for (int i = 0; i < step; ++i) multiply_group(group + i, i);
    }
    for (; group < p.groups; group += fields, weights += 4 * lanes) {
#pragma GCC unroll 4
      for (int i = 0; i < fields; ++i) {
        if (group + i < p.groups) multiply_group(group + i, i);
      }
    }
  }
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int v = 0; v < panels; ++v) {
      I32 all = sum[m][v][0];
#pragma GCC unroll 32
      for (int i = 1; i < chains; ++i) all = all + sum[m][v][i];
      if constexpr (bits < 8) all = shift_right(all, splat(8 - bits));
      store(sums + (m * panels + v) * lanes, all);
    }
  }
}

/// All of `rows` rows with the channels from `channel` on, so many panels at a time; returns the first channel that is left.
template <int rows, int panels, int chains, int bits>
STAIR_INLINE std::int64_t stream_panels(const Product& p, const std::uint8_t* const* row, std::int64_t channel) {
  const std::int64_t panel_bytes = p.runs * run_bytes(p);
  alignas(64) std::int32_t sums[rows * panels * lanes];
  for (; p.channels - channel > (panels - 1) * lanes; channel += panels * lanes) {
    multiply_stream<rows, panels, chains, bits>(p, row, p.weights + channel / lanes * panel_bytes, panel_bytes, sums);
    const std::int64_t left = p.channels - channel;
    finish_block(p, sums, panels * lanes, 0, rows, channel, left < panels * lanes ? left : panels * lanes);
  }
  return channel;
}

/// All channels of `most` rows or fewer, with sums in so many registers.
template <int most, int registers, int bits>
void stream_rows(const Product& p) {
  if (p.lines * p.columns == most) {
    constexpr int panels = registers >= 4 * most ? 4 : registers >= 2 * most ? 2 : 1;
    constexpr int room = registers / (most * panels);
    constexpr int chains = room >= 4 ? 4 : room >= 2 ? 2 : 1;
    RowCursor cursor(p);
    const std::uint8_t* row[most];
    for (int m = 0; m < most; ++m) row[m] = cursor.next();
    const std::int64_t channel = stream_panels<most, panels, chains, bits>(p, row, 0);
    if constexpr (panels > 1) stream_panels<most, 1, chains, bits>(p, row, channel);
    return;
  }
  if constexpr (most > 1) stream_rows<most - 1, registers, bits>(p);
}

/// All rows, `most` at a time, with `vectors` panels from `channel` on. The panels behind these are asked for, a part of one with each
/// `most` rows: as slowly as there are rows, since memory takes its time and what waits for it makes what is at hand wait, too.
template <int most, int vectors>
void multiply_panels(const Product& p, std::int64_t channel) {
  const std::int64_t panel_bytes = p.runs * p.groups * 4 * lanes;
  const std::int8_t* weights = p.weights + channel / lanes * panel_bytes;
  const std::int64_t left = p.channels - channel;
  const std::int64_t channels = left < vectors * lanes ? left : vectors * lanes;
  const std::int64_t panels = (left + lanes - 1) / lanes;
  const std::int64_t rows = p.lines * p.columns;
  constexpr std::int64_t together = 4 * most;  // rows that share the constants of an epilogue
  RowCursor cursor(p);
  alignas(64) std::int32_t sums[together * vectors * lanes];
  const std::int64_t parts = rows >= 4 * vectors * most ? 4 : rows >= 2 * vectors * most ? 2 : 1;
  const std::int64_t next = panels - vectors < vectors ? panels - vectors : vectors;
  std::int64_t asked = 0;  // bytes of the next panels
  for (std::int64_t first = 0; first < rows; first += together) {
    const std::int64_t last = rows - first < together ? rows : first + together;
    for (std::int64_t done = first; done < last; done += most, asked += panel_bytes / parts) {
      const std::uint8_t* row[most];
      const std::int64_t n = last - done < most ? last - done : most;
      for (std::int64_t m = 0; m < n; ++m) row[m] = cursor.next();
      const std::int8_t* ahead = asked < next * panel_bytes ? weights + vectors * panel_bytes + asked : nullptr;
      multiply_some<most, vectors>(p, n, row, weights, panel_bytes, {ahead, 4 * lanes / parts}, sums + (done - first) * vectors * lanes);
    }
    finish_block(p, sums, vectors * lanes, first, last - first, channel, channels);
  }
}

}  // namespace
}  // namespace stair::backends::int8
