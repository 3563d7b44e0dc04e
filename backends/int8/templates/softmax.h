#pragma once

// N-SOFTMAX, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/kernels.h"

namespace stair::backends::int8 {
namespace {

template <bool is_signed>
class Softmax {
 public:
  explicit Softmax(const SoftmaxRows& rows) : rows_(rows) {}

  void run(const std::uint8_t* q, std::uint8_t* y) const {
    const std::int64_t length = rows_.length;
    std::int32_t entries[chunk];
    const std::int32_t most = largest(q, length);
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < length; i += chunk) sum += look_up(q + i, size_at(i), most, entries);
    constexpr std::int64_t one = 1 << 24;  // T[0]
    const auto factor =
        static_cast<std::uint32_t>((static_cast<std::uint64_t>(rows_.mantissa) << 25) / static_cast<std::uint64_t>(sum > one ? sum : one));
    for (std::int64_t i = 0; i < length; i += chunk) {
      if (length > chunk) look_up(q + i, size_at(i), most, entries);
      scale(entries, size_at(i), factor, y + i);
    }
  }

 private:
  // Entries that are kept at a time: of 2^24 at most, 64 of which a lane sums up in 31 bits. Longer rows look them up twice.
  static constexpr std::int64_t chunk = 64 * lanes;

  std::int64_t size_at(std::int64_t i) const { return rows_.length - i < chunk ? rows_.length - i : chunk; }
  static std::int32_t one_of(const std::uint8_t* q) { return is_signed ? std::int32_t{static_cast<std::int8_t>(*q)} : std::int32_t{*q}; }
  static I32 some_of(const std::uint8_t* q) { return is_signed ? load_s8(q) : load_u8(q); }

  static std::int32_t largest(const std::uint8_t* q, std::int64_t count) {
    std::int32_t most = one_of(q);
    std::int64_t i = 0;
    if (count >= lanes) {
      I32 vector = some_of(q);
      for (i = lanes; i + lanes <= count; i += lanes) vector = max(vector, some_of(q + i));
      std::int32_t each[lanes];
      store(each, vector);
      for (const std::int32_t lane : each) most = lane > most ? lane : most;
    }
    for (; i < count; ++i) most = one_of(q + i) > most ? one_of(q + i) : most;
    return most;
  }

  // T[most - q], and its sum.
  std::int64_t look_up(const std::uint8_t* q, std::int64_t count, std::int32_t most, std::int32_t* entries) const {
    const I32 mosts = splat(most);
    I32 vector = splat(0);
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) {
      const I32 found = gather(rows_.table, mosts - some_of(q + i));
      store(entries + i, found);
      vector = vector + found;
    }
    std::int32_t each[lanes];
    store(each, vector);
    std::int64_t sum = 0;
    for (const std::int32_t lane : each) sum += lane;
    for (; i < count; ++i) sum += entries[i] = rows_.table[most - one_of(q + i)];
    return sum;
  }

  void scale(const std::int32_t* entries, std::int64_t count, std::uint32_t factor, std::uint8_t* y) const {
    const int shift = rows_.e > 57 ? 57 : rows_.e;
    if (rows_.e > 57) factor = 0;
    const std::uint64_t half = std::uint64_t{1} << (shift - 1);
    const I32 zero_point = splat(rows_.zero_point);
    const I32 lo = splat(rows_.lo);
    const I32 hi = splat(rows_.hi);
    const auto of = [&](I32 some) STAIR_INLINE_BODY { return max(min(shifted_product(some, factor, half, shift) + zero_point, hi), lo); };
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes) store_bytes(y + i, of(load(entries + i)));
    if (i < count) store_bytes(y + i, of(load(entries + i, count - i)), count - i);
  }

  const SoftmaxRows& rows_;
};

template <bool is_signed>
void softmax_rows(const SoftmaxRows& rows, const std::uint8_t* q, std::uint8_t* y) {
  const Softmax<is_signed> softmax(rows);
  for (std::int64_t row = 0; row < rows.rows; ++row) softmax.run(q + row * rows.length, y + row * rows.length);
}

void run_softmax(const SoftmaxRows& rows, const std::uint8_t* q, std::uint8_t* y) {
  rows.is_signed ? softmax_rows<true>(rows, q, y) : softmax_rows<false>(rows, q, y);
}

}  // namespace
}  // namespace stair::backends::int8
