#pragma once

// What follows the sums, over vector.h of a variant, which stands before this in the including file.

#include "backends/int8/templates/residual.h"

namespace stair::backends::int8 {
namespace {

/// Bytes of an element of the result.
STAIR_INLINE std::int64_t result_bytes(const Epilogue& e) {
  return e.rescale == Rescale::none || e.rescale == Rescale::logits ? 4 : 1;
}

/// The parameters of `lanes` channels in registers.
template <Rescale rescale, bool steps>
struct ChannelParameters {
  I32 offset;
  F32 multiplier;
  I32 mantissa, left, right;
  F32 step;

  STAIR_INLINE ChannelParameters(const Epilogue& e, std::int64_t channel) : offset(load(e.offset + channel)) {
    if constexpr (rescale == Rescale::floating || rescale == Rescale::logits) multiplier = load(e.multiplier + channel);
    if constexpr (rescale == Rescale::fixed) {
      mantissa = load(e.mantissa + channel);
      left = load(e.left + channel);
      right = load(e.right + channel);
    }
    if constexpr (steps) step = load(e.steps + channel);
  }

  /// float(acc) * m, with the float bias if there is one: N-REQ-FLOAT before its rounding, N-LOGITS.
  STAIR_INLINE F32 rescaled(I32 sum) const {
    const F32 t = to_float(sum + offset) * multiplier;
    if constexpr (steps) return t + step;
    return t;
  }
};

/// The range of a requantization in registers.
struct Bounds {
  F32 low, high;
  I32 integer_low, integer_high, zero_point;

  STAIR_INLINE explicit Bounds(const Epilogue& e)
      : low(splat(static_cast<float>(e.lo - e.zero_point))),
        high(splat(static_cast<float>(e.hi - e.zero_point))),
        integer_low(splat(e.lo - e.zero_point)),
        integer_high(splat(e.hi - e.zero_point)),
        zero_point(splat(e.zero_point)) {}

  STAIR_INLINE I32 round_into(F32 t) const { return zero_point + round(min(max(t, low), high)); }
  STAIR_INLINE I32 clamp_into(I32 t) const { return zero_point + min(max(t, integer_low), integer_high); }
};

/// N-REQ.
template <Rescale rescale, bool steps>
STAIR_INLINE I32 requantize(I32 sum, const ChannelParameters<rescale, steps>& c, const Bounds& bounds) {
  if constexpr (rescale == Rescale::floating) {
    return bounds.round_into(c.rescaled(sum));
  } else {
    const I32 scaled = multiply_by_fixed(sum + c.offset, c.mantissa, c.left, c.right);
    if constexpr (steps) return bounds.round_into(to_float(scaled) * splat(0x1p-8F) + c.step);
    return bounds.clamp_into(scaled);
  }
}

/// `lanes` channels of all rows, or the last `n` < lanes.
template <Rescale rescale, bool steps, Join join, bool whole>
STAIR_INLINE void finish_channels(const Epilogue& e, const Tile& t, std::int64_t c, std::int64_t n, const Bounds& bounds,
                                  const Quantizer& quantizer) {
  const ChannelParameters<rescale, steps> channel(e, t.first_channel + c);
  const Residual& r = e.residual;
  const bool other_signed = r.other_signed;
  const std::int64_t rows = t.rows, sums_stride = t.sums_stride, to_stride = t.to_stride, other_stride = t.other_stride;
  const std::int32_t* sums = t.sums + c;
  std::byte* to = t.to;
  const std::uint8_t* other = t.other;
  for (std::int64_t row = 0; row < rows; ++row, sums += sums_stride, to += to_stride) {
    I32 sum;
    if constexpr (whole) {
      sum = load(sums);
    } else {
      sum = load(sums, n);
    }
    if constexpr (rescale == Rescale::none) {
      store(reinterpret_cast<std::int32_t*>(to) + c, sum + channel.offset, n);
    } else if constexpr (rescale == Rescale::logits) {
      store(reinterpret_cast<float*>(to) + c, channel.rescaled(sum), n);
    } else {
      I32 q = requantize<rescale, steps>(sum, channel, bounds);
      if constexpr (join != Join::none) {
        const std::uint8_t* at = other + row * other_stride + c;
        I32 addend;
        if constexpr (whole) {
          addend = other_signed ? load_s8(at) : load_u8(at);
        } else {
          addend = other_signed ? load_s8(at, n) : load_u8(at, n);
        }
        q = add<join>(q, addend, r, quantizer);
      }
      auto* bytes = reinterpret_cast<std::uint8_t*>(to) + c;
      if constexpr (whole) {
        store_bytes(bytes, q);
      } else {
        store_bytes(bytes, q, n);
      }
    }
  }
}

template <Rescale rescale, bool steps, Join join>
void finish(const Epilogue& e, const Tile& t) {
  const Bounds bounds(e);
  const Residual& r = e.residual;
  const Quantizer quantizer(r.scale, r.zero_point, r.lo, r.hi);
  std::int64_t c = 0;
  for (; c + lanes <= t.channels; c += lanes) finish_channels<rescale, steps, join, true>(e, t, c, lanes, bounds, quantizer);
  if (c < t.channels) finish_channels<rescale, steps, join, false>(e, t, c, t.channels - c, bounds, quantizer);
}

template <Rescale rescale, bool steps>
void finish_joined(const Epilogue& e, const Tile& t) {
  switch (e.residual.join) {
    case Join::none:
      return finish<rescale, steps, Join::none>(e, t);
    case Join::point:
      return finish<rescale, steps, Join::point>(e, t);
    case Join::fixed:
      return finish<rescale, steps, Join::fixed>(e, t);
  }
}

void run_epilogue(const Epilogue& e, const Tile& t) {
  const bool steps = e.steps != nullptr;
  switch (e.rescale) {
    case Rescale::none:
      return finish<Rescale::none, false, Join::none>(e, t);
    case Rescale::floating:
      return steps ? finish_joined<Rescale::floating, true>(e, t) : finish_joined<Rescale::floating, false>(e, t);
    case Rescale::fixed:
      return steps ? finish_joined<Rescale::fixed, true>(e, t) : finish_joined<Rescale::fixed, false>(e, t);
    case Rescale::logits:
      return steps ? finish<Rescale::logits, true, Join::none>(e, t) : finish<Rescale::logits, false, Join::none>(e, t);
  }
}

}  // namespace
}  // namespace stair::backends::int8
