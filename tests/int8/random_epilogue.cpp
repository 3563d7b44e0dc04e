#include "tests/int8/random_epilogue.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ir/numerics.h"

namespace stair::tests {

using namespace backends::int8;

namespace {

FixedPoint taken_apart(ir::FixedMultiplier m, std::int32_t more = 0) {
  const std::int32_t shift = std::min(m.shift + more, 31);
  return {m.mantissa, std::max(shift, 0), std::max(-shift, 0)};
}

ir::FixedMultiplier put_together(FixedPoint m) {
  return {m.mantissa, m.left - m.right};
}

std::int32_t add_residual(const Residual& r, std::int32_t own, std::uint8_t byte) {
  const std::int32_t other = r.other_signed ? static_cast<std::int8_t>(byte) : byte;
  if (r.join == Join::point) {
    const float a = ir::dequantize(own, r.own_scale, r.own_zero);
    const float b = ir::dequantize(other, r.other_scale, r.other_zero);
    return ir::quantize(a + b, r.scale, r.zero_point, {r.lo, r.hi});
  }
  const std::int32_t a = r.own_sign * ir::multiply_by_fixed((own - r.own_zero) * (1 << 20), put_together(r.own_fixed));
  const std::int32_t b = r.other_sign * ir::multiply_by_fixed((other - r.other_zero) * (1 << 20), put_together(r.other_fixed));
  return static_cast<std::int32_t>(
      std::clamp<std::int64_t>(std::int64_t{ir::multiply_by_fixed(a + b, put_together(r.fixed))} + r.zero_point, r.lo, r.hi));
}

}  // namespace

RandomEpilogue::RandomEpilogue(Random& random, std::int64_t channels, std::int64_t magnitude) {
  const std::int64_t padded = channels + 16;
  const float scale = 100.0F / static_cast<float>(magnitude);
  epilogue.rescale = random.pick({Rescale::none, Rescale::floating, Rescale::fixed, Rescale::logits});
  const bool floats = random.coin();
  const bool ties = random.coin();  // powers of two: sums at ties are common
  for (std::int64_t c = 0; c < padded; ++c) {
    const float m = ties ? std::exp2(std::round(std::log2(scale))) : random.real(scale / 4, scale * 2);
    const FixedPoint fixed = taken_apart(ir::fixed_multiplier(static_cast<double>(m)), floats ? 8 : 0);
    offset_.push_back(static_cast<std::int32_t>(random(-magnitude / 4, magnitude / 4)));
    multiplier_.push_back(m);
    mantissa_.push_back(fixed.mantissa);
    left_.push_back(fixed.left);
    right_.push_back(fixed.right);
    steps_.push_back(random.real(-20, 20));
  }
  epilogue.offset = offset_.data();
  epilogue.multiplier = multiplier_.data();
  epilogue.mantissa = mantissa_.data();
  epilogue.left = left_.data();
  epilogue.right = right_.data();
  if (floats && epilogue.rescale != Rescale::none) epilogue.steps = steps_.data();
  result_signed = random.coin();
  const auto bits = random(2, 8);
  epilogue.lo = result_signed ? -(1 << (bits - 1)) : 0;
  epilogue.hi = epilogue.lo + (1 << bits) - 1;
  epilogue.zero_point = static_cast<std::int32_t>(random(epilogue.lo, epilogue.hi));
  if (epilogue.rescale == Rescale::none || epilogue.rescale == Rescale::logits) return;

  Residual& r = epilogue.residual;
  r.join = random.pick({Join::none, Join::point, Join::fixed});
  r.other_signed = random.coin();
  r.own_zero = epilogue.zero_point;
  r.other_zero = static_cast<std::int32_t>(r.other_signed ? random(-128, 127) : random(0, 255));
  r.own_scale = ties ? 0.25F : random.real(0.01F, 1);
  r.other_scale = ties ? -0.5F : random.real(-1, 1);
  r.scale = ties ? 0.5F : random.real(0.01F, 1);
  r.own_fixed = taken_apart(ir::fixed_multiplier(static_cast<double>(random.real(0.1F, 0.5F))));
  r.other_fixed = taken_apart(ir::fixed_multiplier(static_cast<double>(random.real(0.1F, 0.5F))));
  r.fixed = taken_apart(ir::fixed_multiplier(static_cast<double>(random.real(0.1F, 4)) / (1 << 20)));
  r.own_sign = random.pick({1, -1});
  r.other_sign = random.pick({1, -1});
  r.lo = result_signed ? -100 : 3;
  r.hi = result_signed ? 120 : 250;
  r.zero_point = static_cast<std::int32_t>(random(r.lo, r.hi));
}

std::int64_t RandomEpilogue::result_bytes() const {
  return epilogue.rescale == Rescale::none || epilogue.rescale == Rescale::logits ? 4 : 1;
}

std::uint32_t RandomEpilogue::expected(std::int32_t sum, std::int64_t channel, std::uint8_t other) const {
  const auto c = static_cast<std::size_t>(channel);
  const std::int32_t acc = sum + offset_[c];
  if (epilogue.rescale == Rescale::none) return static_cast<std::uint32_t>(acc);
  float t = static_cast<float>(acc) * multiplier_[c];
  if (epilogue.steps != nullptr) t = t + steps_[c];
  if (epilogue.rescale == Rescale::logits) return std::bit_cast<std::uint32_t>(t);
  const ir::Range range{epilogue.lo, epilogue.hi};
  std::int32_t q = 0;
  if (epilogue.rescale == Rescale::floating) {
    q = ir::requantize_rescaled(t, epilogue.zero_point, range);
  } else if (epilogue.steps != nullptr) {
    const std::int32_t scaled = ir::multiply_by_fixed(acc, {mantissa_[c], left_[c] - right_[c]});
    q = ir::requantize_rescaled(static_cast<float>(scaled) * 0x1p-8F + steps_[c], epilogue.zero_point, range);
  } else {
    const std::int32_t scaled = ir::multiply_by_fixed(acc, {mantissa_[c], left_[c] - right_[c]});
    q = static_cast<std::int32_t>(std::clamp<std::int64_t>(std::int64_t{scaled} + epilogue.zero_point, range.lo, range.hi));
  }
  if (epilogue.residual.join != Join::none) q = add_residual(epilogue.residual, q, other);
  return static_cast<std::uint8_t>(q);
}

}  // namespace stair::tests
