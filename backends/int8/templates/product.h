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

/// sums[row][channel] of `rows` rows and `vectors` panels; weights of panel v begin at weights + v * panel_bytes. With `ahead`, those of
/// the panels behind them are asked for meanwhile.
template <int rows, int vectors, bool ahead = false>
STAIR_INLINE void multiply_block(const Product& p, const std::uint8_t* const* row, const std::int8_t* weights, std::int64_t panel_bytes,
                                 std::int32_t* sums) {
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
#pragma GCC unroll 32
      for (int v = 0; v < vectors; ++v) {
        w[v] = load_weights(weights + v * panel_bytes);
        if constexpr (ahead) __builtin_prefetch(weights + (vectors + v) * panel_bytes, 0, 2);
      }
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
                                std::int64_t panel_bytes, std::int32_t* sums) {
  if (count == rows) return multiply_block<rows, vectors>(p, row, weights, panel_bytes, sums);
  if constexpr (rows > 1) multiply_some<rows - 1, vectors>(p, count, row, weights, panel_bytes, sums);
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

/// One panel and so few rows that the weights' way from memory is what takes time: they are read in the order in which they lie, `chains`
/// groups at a time or more, each into sums of its own.
template <int rows, int chains, int bits>
STAIR_INLINE void multiply_stream(const Product& p, const std::uint8_t* const* row, const std::int8_t* weights, std::int32_t* sums) {
  constexpr int fields = 8 / bits;  // of a word
  constexpr int step = chains > fields ? chains : fields;
  constexpr std::int64_t ahead = 16 * 1024;  // into the second-level cache, which keeps more requests in flight than the first
  I32 sum[rows][chains];
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int i = 0; i < chains; ++i) sum[m][i] = splat(0);
  }
  for (std::int64_t run = 0; run < p.runs; ++run) {
    std::int64_t group = 0;
    for (; group + step <= p.groups; group += step, weights += step / fields * 4 * lanes) {
#pragma GCC unroll 32
      for (int i = 0; i < step; ++i) {
        const std::int8_t* word = weights + i / fields * 4 * lanes;
        if (i % fields == 0) __builtin_prefetch(word + ahead, 0, 2);
        const Weights w = load_weights<bits>(word, i % fields);
#pragma GCC unroll 32
        for (int m = 0; m < rows; ++m) {
          I32& to = sum[m][i % chains];
          to = dot4(to, broadcast4(row[m] + p.run_offsets[run] + 4 * (group + i)), w);
        }
      }
    }
    for (; group < p.groups; weights += 4 * lanes) {
#pragma GCC unroll 4
      for (int i = 0; i < fields; ++i, ++group) {
        if (group >= p.groups) continue;
        const Weights w = load_weights<bits>(weights, i);
#pragma GCC unroll 32
        for (int m = 0; m < rows; ++m) sum[m][0] = dot4(sum[m][0], broadcast4(row[m] + p.run_offsets[run] + 4 * group), w);
      }
    }
  }
#pragma GCC unroll 32
  for (int m = 0; m < rows; ++m) {
#pragma GCC unroll 32
    for (int i = 1; i < chains; ++i) sum[m][0] = sum[m][0] + sum[m][i];
    if constexpr (bits < 8) sum[m][0] = shift_right(sum[m][0], splat(8 - bits));
    store(sums + m * lanes, sum[m][0]);
  }
}

/// All of `rows` rows with all channels, a panel at a time.
template <int rows, int chains, int bits>
void stream_panels(const Product& p) {
  const std::int64_t panel_bytes = p.runs * run_bytes(p);
  RowCursor cursor(p);
  const std::uint8_t* row[rows];
  for (int m = 0; m < rows; ++m) row[m] = cursor.next();
  alignas(64) std::int32_t sums[rows * lanes];
  for (std::int64_t channel = 0; channel < p.channels; channel += lanes) {
    multiply_stream<rows, chains, bits>(p, row, p.weights + channel / lanes * panel_bytes, sums);
    finish_block(p, sums, lanes, 0, rows, channel, p.channels - channel < lanes ? p.channels - channel : lanes);
  }
}

/// The same of `most` rows or fewer, with as many chains as `registers` hold sums.
template <int most, int registers, int bits>
void stream_rows(const Product& p) {
  constexpr int room = registers / most;
  constexpr int chains = room >= 8 ? 8 : room >= 4 ? 4 : room >= 2 ? 2 : 1;
  if (p.lines * p.columns == most) return stream_panels<most, chains, bits>(p);
  if constexpr (most > 1) stream_rows<most - 1, registers, bits>(p);
}

/// All rows, `most` at a time, with `vectors` panels from `channel` on.
template <int most, int vectors>
void multiply_panels(const Product& p, std::int64_t channel) {
  const std::int64_t panel_bytes = p.runs * p.groups * 4 * lanes;
  const std::int8_t* weights = p.weights + channel / lanes * panel_bytes;
  const std::int64_t channels = p.channels - channel < vectors * lanes ? p.channels - channel : vectors * lanes;
  const std::int64_t rows = p.lines * p.columns;
  RowCursor cursor(p);
  alignas(64) std::int32_t sums[most * vectors * lanes];
  for (std::int64_t done = 0; done < rows; done += most) {
    const std::uint8_t* row[most];
    const std::int64_t n = rows - done < most ? rows - done : most;
    for (std::int64_t m = 0; m < n; ++m) row[m] = cursor.next();
    if (done == 0 && n == most) {
      multiply_block<most, vectors, true>(p, row, weights, panel_bytes, sums);
    } else {
      multiply_some<most, vectors>(p, n, row, weights, panel_bytes, sums);
    }
    finish_block(p, sums, vectors * lanes, done, n, channel, channels);
  }
}

}  // namespace
}  // namespace stair::backends::int8
