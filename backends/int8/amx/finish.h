#pragma once

// The epilogue of blocks of sums, a few rows at a time: it runs on vectors while the tiles multiply the next block. Over vector.h and
// templates/product.h, which stand before this in the including file.

#include "backends/int8/amx/tiles.h"
#include "backends/int8/avx512_vnni/transpose.h"

namespace stair::backends::int8 {
namespace {

constexpr std::int64_t most_rows = 4 * tile_rows;  // of a block
constexpr std::int64_t quad = 4;                   // vectors of sums that become a cache line of bytes

/// The rows of a block that are the product's: where each stands in the block, and in the product. The last one is repeated, so that
/// whole quads of rows can be read.
struct BlockRows {
  std::int64_t count = 0;
  std::int32_t in_block[most_rows + lanes], in_product[most_rows + lanes];

  /// `rows` rows from column `column` of the product's line `line` on, of lines of which `columns` of `pitch` rows are the product's.
  STAIR_INLINE void list(std::int64_t rows, std::int64_t line, std::int64_t column, std::int64_t columns, std::int64_t pitch) {
    const __m512i ramp = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const I32 line_rows = splat(static_cast<std::int32_t>(pitch));
    const I32 between = splat(static_cast<std::int32_t>(pitch - columns));
    I32 in_line = splat(static_cast<std::int32_t>(column)) + I32{ramp};
    I32 row = splat(static_cast<std::int32_t>(line * columns)) + in_line;
    I32 at{ramp};
    count = 0;
    for (std::int64_t i = 0; i < rows; i += lanes) {
      __mmask16 behind;
      while ((behind = _mm512_cmpge_epi32_mask(in_line.v, line_rows.v)) != 0) {
        in_line.v = _mm512_mask_sub_epi32(in_line.v, behind, in_line.v, line_rows.v);
        row.v = _mm512_mask_sub_epi32(row.v, behind, row.v, between.v);
      }
      const __mmask16 there = static_cast<__mmask16>(rows - i < lanes ? first(rows - i) : 0xFFFF);
      const __mmask16 inside = _mm512_mask_cmplt_epi32_mask(there, in_line.v, splat(static_cast<std::int32_t>(columns)).v);
      store(in_block + count, {_mm512_maskz_compress_epi32(inside, at.v)});
      store(in_product + count, {_mm512_maskz_compress_epi32(inside, row.v)});
      count += __builtin_popcount(inside);
      in_line = in_line + splat(lanes);
      row = row + splat(lanes);
      at = at + splat(lanes);
    }
    store(in_block + count, splat(count == 0 ? 0 : in_block[count - 1]));
    store(in_product + count, splat(count == 0 ? 0 : in_product[count - 1]));
  }
};

/// Sums that wait for their epilogue.
struct Pending {
  const BlockRows* rows;
  std::int64_t panels = 1;
  std::int64_t channel = 0, channels = 0;
};

/// Any epilogue, by way of its function.
template <int panels>
class AnyFinish {
 public:
  static constexpr std::int64_t rows_a_turn = 8;  // for which calling it is worth it

  STAIR_INLINE AnyFinish(const Product& product, const Pending& pending, std::int32_t* sums) : p_(product), of_(pending), sums_(sums) {}

  /// The epilogue of the next rows_a_turn rows, of those that are left.
  STAIR_INLINE void turn() {
    constexpr std::int64_t stride = panels * lanes;
    const BlockRows& rows = *of_.rows;
    const std::int64_t last = rows.count - done_ < rows_a_turn ? rows.count : done_ + rows_a_turn;
    while (done_ < last) {
      const std::int64_t first = done_;
      const std::int32_t shift = rows.in_block[first] - rows.in_product[first];  // the same for neighbours in both
      while (done_ < last && rows.in_block[done_] - rows.in_product[done_] == shift) ++done_;
      finish_block(p_, sums_ + rows.in_block[first] * stride, stride, rows.in_product[first], done_ - first, of_.channel, of_.channels);
    }
  }
  STAIR_INLINE void rest() {
    while (done_ < of_.rows->count) turn();
  }

 private:
  const Product& p_;
  Pending of_;
  std::int32_t* sums_;
  std::int64_t done_ = 0;
};

/// A requantization by floats (N-REQ-FLOAT) to whole panels and perhaps a residual addition of the kind N-POINT, with what is the same for
/// all rows in registers: `join` is none or point.
template <Join join, int panels>
class FloatFinish {
 public:
  static constexpr std::int64_t rows_a_turn = quad / panels;

  STAIR_INLINE FloatFinish(const Product& p, const Pending& pending, const std::int32_t* sums)
      : rows_(pending.rows),
        sums_(sums),
        to_(p.to + pending.channel),
        to_stride_(p.to_stride),
        row_offsets_(p.row_offsets),
        low_(splat(static_cast<float>(p.epilogue->lo - p.epilogue->zero_point))),
        high_(splat(static_cast<float>(p.epilogue->hi - p.epilogue->zero_point))),
        first_(*p.epilogue, p.first_channel + pending.channel),
        second_(*p.epilogue, p.first_channel + pending.channel + (panels - 1) * lanes),
        addition_(p, pending.channel),
        low_words_(words(p.epilogue->lo - p.epilogue->zero_point)),
        zero_words_(words(join == Join::none ? p.epilogue->zero_point : p.epilogue->residual.zero_point)) {}

  static bool fits(const Product& p) {
    const Epilogue& e = *p.epilogue;
    return e.rescale == Rescale::floating && e.steps == nullptr && e.residual.join == join && p.channels % lanes == 0 &&
           (join == Join::none || e.residual.own_zero == e.zero_point);
  }

  /// The epilogue of the next rows_a_turn rows, of those that are left.
  STAIR_INLINE void turn() {
    if (done_ < rows_->count) {
      finish_quad();
      done_ += rows_a_turn;
    }
  }
  STAIR_INLINE void rest() {
    while (done_ < rows_->count) turn();
  }

 private:
  using Parameters = ChannelParameters<Rescale::floating, false>;

  /// The other operand of the addition, and its quantizer.
  struct Addition {
    const std::uint8_t* other;
    std::int64_t other_stride;
    bool other_signed;
    I32 other_zero;
    F32 own_scale, other_scale, scale, reciprocal, doubtful, low, high;

    STAIR_INLINE Addition(const Product& p, std::int64_t channel)
        : other(join == Join::none ? nullptr : p.other + channel),
          other_stride(p.other_stride),
          other_signed(p.epilogue->residual.other_signed),
          other_zero(splat(p.epilogue->residual.other_zero)),
          own_scale(splat(p.epilogue->residual.own_scale)),
          other_scale(splat(p.epilogue->residual.other_scale)),
          scale(splat(p.epilogue->residual.scale)),
          reciprocal(splat(1.0F / p.epilogue->residual.scale)),
          doubtful(splat(doubtful_distance(p.epilogue->residual.scale))),
          low(splat(static_cast<float>(p.epilogue->residual.lo - p.epilogue->residual.zero_point))),
          high(splat(static_cast<float>(p.epilogue->residual.hi - p.epilogue->residual.zero_point))) {}

    STAIR_INLINE F32 sum(F32 own, std::int64_t row, int panel) const {
      const std::uint8_t* at = other + row * other_stride + panel * lanes;
      const I32 addend = other_signed ? load_s8(at) : load_u8(at);
      return own * own_scale + to_float(addend - other_zero) * other_scale;
    }

    STAIR_INLINE F32 clamp(F32 t) const { return min(max(t, low), high); }

    /// requantize.h, Quantizer, but for the zero point, with one look at all for doubt.
    STAIR_INLINE void quantize(const F32 (&x)[quad], I32 (&q)[quad]) const {
      F32 distance[quad];
      for (int i = 0; i < quad; ++i) {
        const F32 t = clamp(x[i] * reciprocal);
        q[i] = round(t);
        distance[i] = absolute(t - to_float(q[i]));
      }
      if (any_greater(max(max(distance[0], distance[1]), max(distance[2], distance[3])), doubtful)) {
        for (int i = 0; i < quad; ++i) q[i] = round(clamp(x[i] / scale));
      }
    }
  };

  static __m512i words(std::int32_t x) { return _mm512_set1_epi16(static_cast<std::int16_t>(x)); }

  STAIR_INLINE std::int64_t row(std::int64_t i) const { return rows_->in_product[done_ + i]; }

  STAIR_INLINE void finish_quad() {
    I32 q[quad];
    F32 x[quad];
    const std::int32_t* sums[rows_a_turn];
    for (std::int64_t i = 0; i < rows_a_turn; ++i) sums[i] = sums_ + std::int64_t{rows_->in_block[done_ + i]} * panels * lanes;
    for (int i = 0; i < quad; ++i) {
      const int panel = i % panels;
      I32 sum = load(sums[i / panels] + panel * lanes);
      if (row_offsets_ != nullptr) sum = sum + splat(row_offsets_[row(i / panels)]);
      const F32 t = (panel == 0 ? first_ : second_).rescaled(sum);
      if constexpr (join == Join::none) {
        // Rounded before it is clamped from below: the bound is an integer. What no int32 holds becomes the least one, as does NaN, and
        // both are below the bound, as the contract has them.
        q[i] = round(min(high_, t));
      } else {
        x[i] = addition_.sum(to_float(round(min(max(t, low_), high_))), row(i / panels), panel);
      }
    }
    if constexpr (join != Join::none) addition_.quantize(x, q);
    const __m512i bytes = joined(q);
    if constexpr (panels == 2) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_ + row(0) * to_stride_), _mm512_castsi512_si256(bytes));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to_ + row(1) * to_stride_), _mm512_extracti64x4_epi64(bytes, 1));
    } else {
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + row(0) * to_stride_), _mm512_castsi512_si128(bytes));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + row(1) * to_stride_), _mm512_extracti32x4_epi32(bytes, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + row(2) * to_stride_), _mm512_extracti32x4_epi32(bytes, 2));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to_ + row(3) * to_stride_), _mm512_extracti32x4_epi32(bytes, 3));
    }
  }

  /// The bytes of four vectors, one behind the other.
  STAIR_INLINE __m512i joined(const I32 (&q)[quad]) const {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes = _mm512_packus_epi16(low_bytes(_mm512_packs_epi32(q[0].v, q[1].v)), low_bytes(_mm512_packs_epi32(q[2].v, q[3].v)));
    return _mm512_permutexvar_epi32(order, bytes);
  }
  STAIR_INLINE __m512i low_bytes(__m512i q) const {
    if constexpr (join == Join::none) q = _mm512_max_epi16(q, low_words_);
    return _mm512_and_si512(_mm512_add_epi16(q, zero_words_), _mm512_set1_epi16(0xFF));
  }

  const BlockRows* rows_;
  const std::int32_t* sums_;
  std::byte* to_;
  std::int64_t to_stride_;
  const std::int32_t* row_offsets_;
  F32 low_, high_;
  Parameters first_, second_;
  Addition addition_;
  __m512i low_words_, zero_words_;
  std::int64_t done_ = 0;
};

/// Logits (N-LOGITS) whose channels stand planes apart: 16 rows by 16 channels are transposed in registers. Neighbours in the list of rows
/// are neighbours in the product.
template <int panels>
class PlaneFinish {
 public:
  static constexpr std::int64_t rows_a_turn = tile_rows / panels;  // 16 rows of a panel

  STAIR_INLINE PlaneFinish(const Product& p, const Pending& pending, const std::int32_t* sums)
      : rows_(pending.rows),
        sums_(sums),
        to_(reinterpret_cast<float*>(p.to) + pending.channel * p.plane),
        plane_(p.plane),
        channels_(pending.channels),
        epilogue_(*p.epilogue),
        first_channel_(p.first_channel + pending.channel) {}

  static bool fits(const Product& p) { return p.plane > 0; }

  STAIR_INLINE void turn() {
    if (done_ < rows_->count) {
      if (epilogue_.steps != nullptr) {
        finish_square<true>();
      } else {
        finish_square<false>();
      }
      panel_ = panel_ + 1 == panels ? 0 : panel_ + 1;
      if (panel_ == 0) done_ += tile_rows;
    }
  }
  STAIR_INLINE void rest() {
    while (done_ < rows_->count) turn();
  }

 private:
  template <bool steps>
  STAIR_INLINE void finish_square() {
    const ChannelParameters<Rescale::logits, steps> channel(epilogue_, first_channel_ + panel_ * lanes);
    const std::int32_t* const sums = sums_ + panel_ * lanes;
    const std::int32_t* const in_block = rows_->in_block + done_;
    __m512 square[tile_rows];
    for (int i = 0; i < tile_rows; ++i) square[i] = channel.rescaled(load(sums + in_block[i] * panels * lanes)).v;
    stair::backends::int8::transpose(square);
    float* to = to_ + panel_ * lanes * plane_ + rows_->in_product[done_];
    const std::int64_t left = channels_ - panel_ * lanes;
    const int channels = left < lanes ? static_cast<int>(left) : lanes;
    const std::int64_t rows = rows_->count - done_;
    if (rows >= tile_rows && channels == lanes) {
      for (int c = 0; c < lanes; ++c) _mm512_storeu_ps(to + c * plane_, square[c]);
    } else {
      const __mmask16 inside = first_lanes(rows);
      for (int c = 0; c < channels; ++c) _mm512_mask_storeu_ps(to + c * plane_, inside, square[c]);
    }
  }

  const BlockRows* rows_;
  const std::int32_t* sums_;
  float* to_;
  std::int64_t plane_, channels_;
  const Epilogue& epilogue_;
  std::int64_t first_channel_;
  std::int64_t done_ = 0;
  int panel_ = 0;
};

}  // namespace
}  // namespace stair::backends::int8
