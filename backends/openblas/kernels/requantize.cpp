#include <limits>

#include "backends/element_types.h"
#include "backends/openblas/channel_runs.h"
#include "backends/openblas/rounding.h"
#include "backends/range.h"

namespace stair::backends::openblas {
namespace {

// The bias of a row by its kind (N-BIAS): integers before the rescale, or steps of the result after it.
struct Bias {
  const std::int32_t* integer = nullptr;
  const float* steps = nullptr;

  Bias(const Arguments& a, std::size_t operand, std::int64_t c) {
    if (!a.has(operand)) return;
    const ir::TensorView& bias = a.operands[operand];
    if (bias.count() == 1) c = 0;
    if (bias.type.dtype == ir::DType::f32) {
      steps = bias.as<float>() + c;
    } else {
      integer = bias.as<std::int32_t>() + c;
    }
  }
};

template <bool columns, class Q>
STAIR_INLINE void rescale_body(const std::int32_t* acc, const Bias& bias, const float* multiplier, Rounder round, std::int32_t zero_point,
                               Q* q, std::int64_t count) {
  const float only = *multiplier;
  if (bias.steps != nullptr) {
    const float* steps = bias.steps;
    const float step = *steps;
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      const float t = static_cast<float>(acc[i]) * parameter<columns>(multiplier, only, i) + parameter<columns>(steps, step, i);
      q[i] = static_cast<Q>(zero_point + round(t));
    }
  } else if (bias.integer != nullptr) {
    const std::int32_t* integer = bias.integer;
    const std::int32_t before = *integer;
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      const float t =
          static_cast<float>(ir::wrapping_add(acc[i], parameter<columns>(integer, before, i))) * parameter<columns>(multiplier, only, i);
      q[i] = static_cast<Q>(zero_point + round(t));
    }
  } else {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) {
      q[i] = static_cast<Q>(zero_point + round(static_cast<float>(acc[i]) * parameter<columns>(multiplier, only, i)));
    }
  }
}
STAIR_MULTIVERSION void rescale(OneChannel_t, const std::int32_t* acc, const Bias& bias, const float* multiplier, Rounder round,
                                std::int32_t zero_point, std::int8_t* q, std::int64_t count) {
  rescale_body<false>(acc, bias, multiplier, round, zero_point, q, count);
}
STAIR_MULTIVERSION void rescale(OneChannel_t, const std::int32_t* acc, const Bias& bias, const float* multiplier, Rounder round,
                                std::int32_t zero_point, std::uint8_t* q, std::int64_t count) {
  rescale_body<false>(acc, bias, multiplier, round, zero_point, q, count);
}
STAIR_MULTIVERSION void rescale(Columns_t, const std::int32_t* acc, const Bias& bias, const float* multiplier, Rounder round,
                                std::int32_t zero_point, std::int8_t* q, std::int64_t count) {
  rescale_body<true>(acc, bias, multiplier, round, zero_point, q, count);
}
STAIR_MULTIVERSION void rescale(Columns_t, const std::int32_t* acc, const Bias& bias, const float* multiplier, Rounder round,
                                std::int32_t zero_point, std::uint8_t* q, std::int64_t count) {
  rescale_body<true>(acc, bias, multiplier, round, zero_point, q, count);
}

// N-REQ-FLOAT
void run_requantize(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const Rounder round(range_of(node, a, 4), zero_point);
  const bool one_multiplier = a.operands[1].count() == 1;
  const bool one_bias = !a.has(3) || a.operands[3].count() == 1;
  const float* multipliers = a.operands[1].as<float>();
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    const auto row = [&](auto kind, std::int64_t c, std::int64_t first, std::int64_t last) {
      rescale(kind, a.operands[0].as<std::int32_t>() + first, Bias(a, 3, c), multipliers + (one_multiplier ? 0 : c), round, zero_point,
              a.results[0].as<Q>() + first, last - first);
    };
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    // Rows of channels need a vector of each parameter.
    if (one_multiplier == one_bias || !a.has(3)) return for_channel_runs(view, one_multiplier, a.threads, row);
    for_single_runs(view, false, a.threads, [&](auto... at) { row(OneChannel_t{}, at...); });
  });
}

// ir::multiply_by_fixed without a branch, for mantissas from 0 on (N-REQ-FIXED): with them, the one product that saturates can't occur.
STAIR_INLINE std::int32_t multiply_by_fixed(std::int32_t x, std::int64_t mantissa, int left, int right) {
  constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t high = std::numeric_limits<std::int32_t>::max();
  const std::int64_t wide = static_cast<std::int64_t>(x) * (std::int64_t{1} << left);
  const std::int64_t raised = wide < low ? low : wide;
  const std::int64_t product = (raised > high ? high : raised) * mantissa;
  const std::int64_t negative = product < 0 ? -1 : 0;
  // (product + nudge) / 2^31 truncated towards zero, by magnitudes: the nudge of a negative product is 1 - 2^30.
  const std::int64_t magnitude = (product ^ negative) - negative;
  const std::int64_t rounded = static_cast<std::int64_t>(static_cast<std::uint64_t>(magnitude + (std::int64_t{1} << 30) + negative) >> 31);
  const std::int64_t quotient = (rounded ^ negative) - negative;
  const auto value = static_cast<std::int32_t>(quotient);
  const auto mask = static_cast<std::int32_t>((std::int64_t{1} << right) - 1);
  const std::int32_t threshold = (mask >> 1) + (value < 0 ? 1 : 0);
  return (value >> right) + ((value & mask) > threshold ? 1 : 0);
}

template <class Q>
STAIR_INLINE void rescale_fixed_body(const std::int32_t* acc, const Bias& bias, ir::FixedMultiplier multiplier, ir::Range range,
                                     std::int32_t zero_point, Q* q, std::int64_t count) {
  const std::int32_t before = bias.integer == nullptr ? 0 : *bias.integer;
  if (bias.steps != nullptr) {
    for (std::int64_t i = 0; i < count; ++i) {
      q[i] = static_cast<Q>(ir::requantize_rescaled(ir::rescale_by_fixed(acc[i], multiplier) + *bias.steps, zero_point, range));
    }
    return;
  }
  const std::int64_t mantissa = multiplier.mantissa;
  const int left = multiplier.shift > 0 ? multiplier.shift : 0;
  const int right = multiplier.shift > 0 ? 0 : -multiplier.shift;
  // [lo, hi] before the zero point is added: what it may add to passes no int32.
  const std::int32_t low = range.lo - zero_point;
  const std::int32_t high = range.hi - zero_point;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t scaled = multiply_by_fixed(ir::wrapping_add(acc[i], before), mantissa, left, right);
    const std::int32_t raised = scaled < low ? low : scaled;
    q[i] = static_cast<Q>(zero_point + (raised > high ? high : raised));
  }
}
STAIR_MULTIVERSION void rescale_fixed(const std::int32_t* acc, const Bias& bias, ir::FixedMultiplier multiplier, ir::Range range,
                                      std::int32_t zero_point, std::int8_t* q, std::int64_t count) {
  rescale_fixed_body(acc, bias, multiplier, range, zero_point, q, count);
}
STAIR_MULTIVERSION void rescale_fixed(const std::int32_t* acc, const Bias& bias, ir::FixedMultiplier multiplier, ir::Range range,
                                      std::int32_t zero_point, std::uint8_t* q, std::int64_t count) {
  rescale_fixed_body(acc, bias, multiplier, range, zero_point, q, count);
}

// N-REQ-FIXED
void run_fixed(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[3].as<std::int32_t>();
  const ir::Range range = range_of(node, a, 5);
  const bool shared = a.operands[1].count() == 1 && a.operands[2].count() == 1 && (!a.has(4) || a.operands[4].count() == 1);
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    for_single_runs(view, shared, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      rescale_fixed(a.operands[0].as<std::int32_t>() + first, Bias(a, 4, c),
                    {of_channel<std::int32_t>(a.operands[1], c), of_channel<std::int32_t>(a.operands[2], c)}, range, zero_point,
                    a.results[0].as<Q>() + first, last - first);
    });
  });
}

}  // namespace

void requantize(FunctionKernels& kernels) {
  kernels.add("requantize", {run_requantize, "vector loops"});
  kernels.add("requantize_fixed", {run_fixed, "vector loops"});
}

}  // namespace stair::backends::openblas
