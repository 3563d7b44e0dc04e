#pragma once

// Floats to quantized integers by way of batch_norm and a clamp, over vector.h of a variant, which stands before this in the including
// file.

#include "backends/int8/templates/requantize.h"

namespace stair::backends::int8 {
namespace {

template <bool clamps, bool marks>
void quantize_rows(const Quantization& quantization, const NormalizedRows& rows, float low, float high, std::uint8_t* q,
                   std::uint8_t* bits) {
  const Quantizer quantizer(quantization.scale, quantization.zero_point, quantization.lo, quantization.hi);
  const F32 zero = splat(0.0F);
  const F32 most = splat(rows.most);
  const F32 lows = splat(low);
  const F32 highs = splat(high);
  const std::int64_t length = rows.length;
  static_assert(lanes % 8 == 0, "a vector's bits are whole bytes");
  const float* x = rows.x;
  std::int64_t channel = rows.first_channel;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const F32 mean = splat(rows.parameters[channel].mean);
    const F32 scale = splat(rows.parameters[channel].scale);
    const F32 shift = splat(rows.parameters[channel].shift);
    for (std::int64_t i = 0; i < length; i += lanes) {
      F32 y = (load(x + i) - mean) * scale + shift;
      if constexpr (clamps) y = min(max(y, zero), most);
      store_bytes(q + i, quantizer(y));
      if constexpr (marks) {
        const std::uint32_t marked = between(y, lows, highs);
        __builtin_memcpy(bits + i / 8, &marked, lanes / 8);
      }
    }
    x += length;
    q += length;
    if constexpr (marks) bits += length / 8;
    channel = channel + 1 == rows.channels ? 0 : channel + 1;
  }
}

void run_quantize_normalized(const Quantization& quantization, const NormalizedRows& rows, float low, float high, std::uint8_t* q,
                             std::uint8_t* bits) {
  if (rows.clamped) {
    return bits != nullptr ? quantize_rows<true, true>(quantization, rows, low, high, q, bits)
                           : quantize_rows<true, false>(quantization, rows, low, high, q, bits);
  }
  bits != nullptr ? quantize_rows<false, true>(quantization, rows, low, high, q, bits)
                  : quantize_rows<false, false>(quantization, rows, low, high, q, bits);
}

}  // namespace
}  // namespace stair::backends::int8
