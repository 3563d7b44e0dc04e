#pragma once

#include <cstdint>

namespace stair::backends::int8 {

/// The shape of operands of a Product whose k axis is one run: groups of 4 along k, in as many equal steps as AMX tiles need.
struct Depth {
  std::int64_t k, groups_per_step, groups;

  explicit Depth(std::int64_t k);
  std::int64_t bytes() const { return 4 * groups; }  ///< of a row of activations; of a channel of packed weights
};

/// A matrix of bytes: element (k, channel) stands at begin[k * k_stride + channel * channel_stride]. One of the strides is 1.
struct Bytewise {
  const std::uint8_t* begin;
  std::int64_t k_stride, channel_stride;
};

/// Packs `channels` <= `panel` channels as a panel of a Product's weights, `flip`ped (x ^ 0x80) from u8 to s8, and writes their sums.
void pack_panel(const Bytewise& from, const Depth& depth, std::int64_t channels, std::int64_t panel, bool flip, std::int8_t* to,
                std::int32_t* sums);

/// Joins the groups of a panel of `runs` runs, `bytes` bytes each, to words of narrow weights, of 4 or 2 bits (kernels.h, Product).
void narrow_panel(const std::int8_t* from, std::int64_t runs, std::int64_t groups, std::int64_t bytes, int bits, std::int8_t* to);

/// Copies `rows` rows of depth.k bytes, flipped where asked, to rows of depth.bytes() bytes that end in zeros.
void copy_rows(const std::uint8_t* from, const Depth& depth, std::int64_t rows, bool flip, std::uint8_t* to);

/// The sum of each of `rows` rows of k bytes, `stride` bytes apart, times `factor` modulo 2^32.
void sum_rows(const std::uint8_t* from, std::int64_t rows, std::int64_t k, std::int64_t stride, bool is_signed, std::int32_t factor,
              std::int32_t* to);

}  // namespace stair::backends::int8
