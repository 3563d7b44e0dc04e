#pragma once

// Floats to quantized integers and back, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/templates/requantize.h"

namespace stair::backends::int8 {
namespace {

STAIR_INLINE Quantizer quantizer_of(const Quantization& q) {
  return Quantizer(q.scale, q.zero_point, q.lo, q.hi);
}

void run_quantize(const Quantization& quantization, const float* x, std::uint8_t* q, std::int64_t count) {
  const Quantizer quantizer = quantizer_of(quantization);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store_bytes(q + i, quantizer(load(x + i)));
  if (i < count) store_bytes(q + i, quantizer(load(x + i, count - i)), count - i);
}

void run_quantize_marking(const Quantization& quantization, float low, float high, const float* x, std::uint8_t* q, std::uint8_t* bits,
                          std::int64_t count) {
  const Quantizer quantizer = quantizer_of(quantization);
  const F32 lows = splat(low);
  const F32 highs = splat(high);
  constexpr int step = lanes < 8 ? 8 : lanes;
  std::int64_t i = 0;
  for (; i + step <= count; i += step) {
    std::uint32_t marks = 0;
    for (int j = 0; j < step; j += lanes) {
      const F32 some = load(x + i + j);
      store_bytes(q + i + j, quantizer(some));
      marks |= between(some, lows, highs) << j;
    }
    __builtin_memcpy(bits + i / 8, &marks, step / 8);
  }
  if (i == count) return;
  std::uint32_t marks = 0;
  for (std::int64_t j = 0; i + j < count; j += lanes) {
    const std::int64_t n = count - i - j < lanes ? count - i - j : lanes;
    const F32 some = load(x + i + j, n);
    store_bytes(q + i + j, quantizer(some), n);
    marks |= (between(some, lows, highs) & ((1U << n) - 1U)) << j;
  }
  __builtin_memcpy(bits + i / 8, &marks, static_cast<std::size_t>(count - i + 7) / 8);
}

/// Three integers to the low bytes of a lane.
STAIR_INLINE I32 join_bytes(I32 a, I32 b, I32 c) {
  const I32 low = splat(0xff);
  return (a & low) + shift_left(b & low, splat(8)) + shift_left(c & low, splat(16));
}

void run_quantize_triples(const Quantization& quantization, const float* x, std::int64_t plane, std::uint8_t* q, std::int64_t count) {
  const Quantizer quantizer = quantizer_of(quantization);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes, x += lanes) {
    store_triples(q + 3 * i, join_bytes(quantizer(load(x)), quantizer(load(x + plane)), quantizer(load(x + 2 * plane))));
  }
  if (const std::int64_t n = count - i; n > 0) {
    store_triples(q + 3 * i, join_bytes(quantizer(load(x, n)), quantizer(load(x + plane, n)), quantizer(load(x + 2 * plane, n))), n);
  }
}

template <bool is_signed>
void dequantize_row(const Quantization& quantization, const std::uint8_t* q, float* x, std::int64_t count) {
  const I32 zero_point = splat(quantization.zero_point);
  const F32 scale = splat(quantization.scale);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) store(x + i, to_float((is_signed ? load_s8(q + i) : load_u8(q + i)) - zero_point) * scale);
  if (const std::int64_t n = count - i; n > 0) {
    store(x + i, to_float((is_signed ? load_s8(q + i, n) : load_u8(q + i, n)) - zero_point) * scale, n);
  }
}

void run_dequantize(const Quantization& quantization, bool is_signed, const std::uint8_t* q, float* x, std::int64_t count) {
  if (is_signed) return dequantize_row<true>(quantization, q, x, count);
  dequantize_row<false>(quantization, q, x, count);
}

}  // namespace
}  // namespace stair::backends::int8
