#include "backends/processor.h"
#include "runtime/peak.h"

#if defined(__ARM_NEON)
#include <arm_neon.h>
#endif

namespace stair::runtime::peak {

#if defined(__ARM_NEON)
namespace {

constexpr int chains = 24;

std::int64_t fma(std::int64_t times) {
  float32x4_t sums[chains] = {};
  const float32x4_t a = vdupq_n_f32(1.0F);
  const float32x4_t b = vdupq_n_f32(0x1p-20F);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (float32x4_t& sum : sums) sum = vfmaq_f32(sum, a, b);
#pragma GCC unroll 24
    for (float32x4_t& sum : sums) asm volatile("" : "+w"(sum));
  }
  return times * chains * 4;
}

// 16-bit products added to 32 bits: what there is without dot products.
std::int64_t widened(std::int64_t times) {
  int32x4_t sums[chains] = {};
  const int16x4_t a = vdup_n_s16(3);
  const int16x4_t b = vdup_n_s16(5);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (int32x4_t& sum : sums) sum = vmlal_s16(sum, a, b);
#pragma GCC unroll 24
    for (int32x4_t& sum : sums) asm volatile("" : "+w"(sum));
  }
  return times * chains * 4;
}

__attribute__((target("arch=armv8.2-a+dotprod"))) std::int64_t dot_products(std::int64_t times) {
  int32x4_t sums[chains] = {};
  const int8x16_t a = vdupq_n_s8(3);
  const int8x16_t b = vdupq_n_s8(5);
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (int32x4_t& sum : sums) sum = vdotq_s32(sum, a, b);
#pragma GCC unroll 24
    for (int32x4_t& sum : sums) asm volatile("" : "+w"(sum));
  }
  return times * chains * 16;
}

}  // namespace
#endif

void neon([[maybe_unused]] PeakRegistry& registry) {
#if defined(__ARM_NEON)
  registry.add({"neon", "fmla", PeakLoop::Elements::float32, [] { return true; }, fma});
  registry.add({"neon", "smlal", PeakLoop::Elements::int8, [] { return true; }, widened});
  registry.add({"neon_dot", "sdot", PeakLoop::Elements::int8, backends::processor::has_neon_dot_products, dot_products});
#endif
}

}  // namespace stair::runtime::peak
