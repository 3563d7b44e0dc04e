#include "backends/int8/pack.h"

#include <algorithm>
#include <cstring>

#include "backends/int8/memory.h"
#include "backends/int8/transpose.h"
#include "backends/multiversion.h"

namespace stair::backends::int8 {

namespace {

constexpr std::int64_t group_of_k = 4;       // dot products of 4
constexpr std::int64_t groups_of_tile = 16;  // a row of an AMX tile

template <class T>
STAIR_INLINE std::int32_t sum_of(const T* from, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += from[i];
  return sum;
}

STAIR_MULTIVERSION void sum_unsigned_rows(const std::uint8_t* from, std::int64_t rows, std::int64_t k, std::int64_t stride,
                                          std::uint32_t factor, std::int32_t* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    to[row] = static_cast<std::int32_t>(factor * static_cast<std::uint32_t>(sum_of(from + row * stride, k)));
  }
}

STAIR_MULTIVERSION void sum_signed_rows(const std::int8_t* from, std::int64_t rows, std::int64_t k, std::int64_t stride,
                                        std::uint32_t factor, std::int32_t* to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    to[row] = static_cast<std::int32_t>(factor * static_cast<std::uint32_t>(sum_of(from + row * stride, k)));
  }
}

STAIR_MULTIVERSION void flip_bytes(std::uint8_t* p, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) p[i] ^= 0x80;
}

// Channels lie side by side: 4 rows of `width` bytes become neighbours at a time.
template <int width>
STAIR_INLINE void interleave_rows(const std::uint8_t* from, std::int64_t stride, std::int64_t groups, std::uint8_t flip, std::uint8_t* to,
                                  std::int32_t* sums) {
  std::int32_t sum[width] = {};
  for (std::int64_t g = 0; g < groups; ++g, from += group_of_k * stride, to += group_of_k * width) {
    for (int j = 0; j < group_of_k; ++j) {
      for (int c = 0; c < width; ++c) {
        const auto value = static_cast<std::uint8_t>(from[j * stride + c] ^ flip);
        to[group_of_k * c + j] = value;
        sum[c] += static_cast<std::int8_t>(value);
      }
    }
  }
  for (int c = 0; c < width; ++c) sums[c] += sum[c];
}

STAIR_MULTIVERSION void interleave_16(const std::uint8_t* from, std::int64_t stride, std::int64_t groups, std::uint8_t flip,
                                      std::uint8_t* to, std::int32_t* sums) {
  interleave_rows<16>(from, stride, groups, flip, to, sums);
}
STAIR_MULTIVERSION void interleave_8(const std::uint8_t* from, std::int64_t stride, std::int64_t groups, std::uint8_t flip,
                                     std::uint8_t* to, std::int32_t* sums) {
  interleave_rows<8>(from, stride, groups, flip, to, sums);
}

// Elements from `first` on along k, one at a time.
void pack_elements(const Bytewise& from, std::int64_t first, std::int64_t k, std::int64_t channels, std::int64_t panel, std::uint8_t flip,
                   std::uint8_t* to, std::int32_t* sums) {
  for (std::int64_t i = first; i < k; ++i) {
    std::uint8_t* const group = to + i / group_of_k * panel * group_of_k + i % group_of_k;
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto value = static_cast<std::uint8_t>(from.begin[i * from.k_stride + c * from.channel_stride] ^ flip);
      group[c * group_of_k] = value;
      sums[c] += static_cast<std::int8_t>(value);
    }
  }
}

}  // namespace

Depth::Depth(std::int64_t depth) : k(depth) {
  const std::int64_t steps = quotient_up(k, group_of_k * groups_of_tile);
  groups_per_step = quotient_up(quotient_up(k, group_of_k), steps);
  groups = steps * groups_per_step;
}

void pack_panel(const Bytewise& from, const Depth& depth, std::int64_t channels, std::int64_t panel, bool flip, std::int8_t* to,
                std::int32_t* sums) {
  const std::uint8_t flipped = flip ? 0x80 : 0;
  auto* bytes = reinterpret_cast<std::uint8_t*>(to);
  std::fill_n(sums, channels, 0);
  const std::int64_t whole = channels == panel ? depth.k / group_of_k : 0;  // groups in vectors
  std::int64_t done = 0;
  if (whole > 0 && from.channel_stride == 1 && (panel == 16 || panel == 8)) {
    (panel == 16 ? interleave_16 : interleave_8)(from.begin, from.k_stride, whole, flipped, bytes, sums);
    done = whole * group_of_k;
  } else if (whole > 0 && from.k_stride == 1 && depth.k % group_of_k == 0) {
    transpose(reinterpret_cast<const std::uint32_t*>(from.begin), 1, panel, whole, reinterpret_cast<std::uint32_t*>(to), 1);
    done = depth.k;
    if (flip) flip_bytes(bytes, panel * depth.k);
    sum_rows(from.begin, panel, depth.k, from.channel_stride, !flip, 1, sums);
    for (std::int64_t c = 0; flip && c < panel; ++c) sums[c] -= static_cast<std::int32_t>(128 * depth.k);
  }
  const std::int64_t packed = done * panel;
  std::memset(bytes + packed, 0, static_cast<std::size_t>(depth.bytes() * panel - packed));
  pack_elements(from, done, depth.k, channels, panel, flipped, bytes, sums);
}

void narrow_panel(const std::int8_t* from, std::int64_t runs, std::int64_t groups, std::int64_t bytes, int bits, std::int8_t* to) {
  const int fields = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  const std::int64_t words = quotient_up(groups, fields);
  std::memset(to, 0, static_cast<std::size_t>(runs * words * bytes));
  for (std::int64_t group = 0; group < runs * groups; ++group, from += bytes) {
    std::int8_t* const word = to + (group / groups * words + group % groups / fields) * bytes;
    const auto shift = static_cast<unsigned>(group % groups % fields * bits);
    for (std::int64_t i = 0; i < bytes; ++i) {
      word[i] = static_cast<std::int8_t>(static_cast<unsigned>(word[i]) | (static_cast<unsigned>(from[i]) & mask) << shift);
    }
  }
}

void copy_rows(const std::uint8_t* from, const Depth& depth, std::int64_t rows, bool flip, std::uint8_t* to) {
  const auto k = static_cast<std::size_t>(depth.k);
  const auto rest = static_cast<std::size_t>(depth.bytes() - depth.k);
  for (std::int64_t row = 0; row < rows; ++row, from += depth.k, to += depth.bytes()) {
    std::memcpy(to, from, k);
    std::memset(to + k, 0, rest);
    if (flip) flip_bytes(to, depth.k);
  }
}

void sum_rows(const std::uint8_t* from, std::int64_t rows, std::int64_t k, std::int64_t stride, bool is_signed, std::int32_t factor,
              std::int32_t* to) {
  const auto times = static_cast<std::uint32_t>(factor);
  if (is_signed) return sum_signed_rows(reinterpret_cast<const std::int8_t*>(from), rows, k, stride, times, to);
  sum_unsigned_rows(from, rows, k, stride, times, to);
}

}  // namespace stair::backends::int8
