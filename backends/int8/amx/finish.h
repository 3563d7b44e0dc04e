#pragma once

// The epilogue of blocks of sums, a few rows at a time: it runs on vectors while the tiles multiply the next block. Over vector.h and
// templates/product.h, which stand before this in the including file.

#include "backends/int8/amx/tiles.h"

namespace stair::backends::int8 {
namespace {

constexpr std::int64_t most_rows = 4 * tile_rows;  // of a block
constexpr std::int64_t quad = 4;                   // vectors of sums that become a cache line of bytes

/// The rows of a block that are the product's: where each stands in the block, and in the product. The last one is repeated, so that
/// whole quads of rows can be read.
struct BlockRows {
  std::int64_t count = 0;
  std::int32_t in_block[most_rows + quad], in_product[most_rows + quad];

  STAIR_INLINE void append(std::int64_t block_row, std::int64_t product_row) {
    in_block[count] = static_cast<std::int32_t>(block_row);
    in_product[count++] = static_cast<std::int32_t>(product_row);
  }
  STAIR_INLINE void fill_quad() {
    for (std::int64_t i = count; i < count + quad; ++i) {
      in_block[i] = count == 0 ? 0 : in_block[count - 1];
      in_product[i] = count == 0 ? 0 : in_product[count - 1];
    }
  }
};

/// Sums that wait for their epilogue.
struct Pending {
  const BlockRows* rows;
  std::int64_t done = 0;  ///< of the rows
  std::int64_t panels = 1;
  std::int64_t channel = 0, channels = 0;
};

/// Any epilogue, by way of its function.
struct AnyFinish {
  STAIR_INLINE AnyFinish(const Product& product, const Pending& pending, std::int32_t* sums) : p(product), of(pending), from(sums) {}

  static constexpr std::int64_t least_rows = 8;  // for which calling it is worth it

  STAIR_INLINE void finish(std::int64_t count) {
    const BlockRows& rows = *of.rows;
    const std::int64_t stride = of.panels * lanes;
    const std::int64_t last = rows.count - of.done < count ? rows.count : of.done + count;
    while (of.done < last) {
      const std::int64_t first = of.done;
      const std::int32_t step = rows.in_block[first] - rows.in_product[first];  // the same for rows that are neighbours in both
      while (of.done < last && rows.in_block[of.done] - rows.in_product[of.done] == step) ++of.done;
      finish_block(p, from + rows.in_block[first] * stride, stride, rows.in_product[first], of.done - first, of.channel, of.channels);
    }
  }

  const Product& p;
  Pending of;
  std::int32_t* from;
};

/// A requantization by floats (N-REQ-FLOAT) to whole panels, and perhaps a residual addition, with what is the same for all rows in
/// registers.
template <Join join>
struct FloatFinish {
  using Parameters = ChannelParameters<Rescale::floating, false>;

  STAIR_INLINE FloatFinish(const Product& product, const Pending& pending, const std::int32_t* sums)
      : rows(pending.rows),
        done(pending.done),
        panels(pending.panels),
        from(sums),
        first_byte(product.to + pending.channel),
        to_stride(product.to_stride),
        row_offsets(product.row_offsets),
        other(product.other == nullptr ? nullptr : product.other + pending.channel),
        other_stride(product.other_stride),
        residual(product.epilogue->residual),
        low(_mm512_set1_epi16(static_cast<std::int16_t>(product.epilogue->lo - product.epilogue->zero_point))),
        zero_point(_mm512_set1_epi16(static_cast<std::int16_t>(product.epilogue->zero_point))),
        bounds(*product.epilogue),
        quantizer(product.epilogue->residual.scale, product.epilogue->residual.zero_point, product.epilogue->residual.lo,
                  product.epilogue->residual.hi),
        first(*product.epilogue, product.first_channel + pending.channel),
        second(*product.epilogue, product.first_channel + pending.channel + (pending.panels - 1) * lanes) {}

  static constexpr std::int64_t least_rows = 1;

  static bool fits(const Product& p) {
    const Epilogue& e = *p.epilogue;
    return e.rescale == Rescale::floating && e.steps == nullptr && e.residual.join == join && p.channels % lanes == 0;
  }

  /// The epilogue of the next `count` rows or a few more, of those that are left.
  STAIR_INLINE void finish(std::int64_t count) {
    const std::int64_t last = rows->count - done < count ? rows->count : done + count;
    if (panels == 2) {
      for (; done < last; done += 2) {
        const __m512i bytes = join_bytes(vector(0, 0, first), vector(0, 1, second), vector(1, 0, first), vector(1, 1, second));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to(0)), _mm512_castsi512_si256(bytes));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(to(1)), _mm512_extracti64x4_epi64(bytes, 1));
      }
    } else {
      for (; done < last; done += 4) {
        const __m512i bytes = join_bytes(vector(0, 0, first), vector(1, 0, first), vector(2, 0, first), vector(3, 0, first));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to(0)), _mm512_castsi512_si128(bytes));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to(1)), _mm512_extracti32x4_epi32(bytes, 1));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to(2)), _mm512_extracti32x4_epi32(bytes, 2));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to(3)), _mm512_extracti32x4_epi32(bytes, 3));
      }
    }
  }

 private:
  STAIR_INLINE std::int64_t row(int i) const { return rows->in_product[done + i]; }
  STAIR_INLINE std::byte* to(int i) const { return first_byte + row(i) * to_stride; }

  /// What becomes of the sums of a row with a panel; 16 bits of each lane count.
  STAIR_INLINE __m512i vector(int i, int panel, const Parameters& channel) const {
    I32 sum = load(from + (rows->in_block[done + i] * panels + panel) * lanes);
    if (row_offsets != nullptr) sum = sum + splat(row_offsets[row(i)]);
    if constexpr (join == Join::none) {
      // Rounded before it is clamped from below: the bound is an integer. What no int32 holds becomes the least one, as does NaN, and
      // both are below the bound, as the contract has them.
      return round(min(bounds.high, channel.rescaled(sum))).v;
    } else {
      const std::uint8_t* at = other + row(i) * other_stride + panel * lanes;
      const I32 addend = residual.other_signed ? load_s8(at) : load_u8(at);
      return add<join>(requantize(sum, channel, bounds), addend, residual, quantizer).v;
    }
  }

  /// The bytes of four vectors, one behind the other.
  STAIR_INLINE __m512i join_bytes(__m512i a, __m512i b, __m512i c, __m512i d) const {
    const __m512i byte = _mm512_set1_epi16(0xFF);
    __m512i ab = _mm512_packs_epi32(a, b);
    __m512i cd = _mm512_packs_epi32(c, d);
    if constexpr (join == Join::none) {
      ab = _mm512_add_epi16(_mm512_max_epi16(ab, low), zero_point);
      cd = _mm512_add_epi16(_mm512_max_epi16(cd, low), zero_point);
    }
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(_mm512_and_si512(ab, byte), _mm512_and_si512(cd, byte)));
  }

  const BlockRows* rows;
  std::int64_t done, panels;
  const std::int32_t* from;
  std::byte* first_byte;
  std::int64_t to_stride;
  const std::int32_t* row_offsets;
  const std::uint8_t* other;
  std::int64_t other_stride;
  const Residual& residual;
  __m512i low, zero_point;
  Bounds bounds;
  Quantizer quantizer;
  Parameters first, second;
};

}  // namespace
}  // namespace stair::backends::int8
