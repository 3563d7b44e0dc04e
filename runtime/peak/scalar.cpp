#include "runtime/peak.h"

namespace stair::runtime::peak {
namespace {

// Whatever the compiler's general registers do: it must neither vectorize the products nor see that they are always the same.
std::int64_t products(std::int64_t times) {
  constexpr int chains = 8;
  std::int32_t sums[chains] = {};
  std::int32_t a = 3;
  std::int32_t b = 5;
  for (std::int64_t i = 0; i < times; ++i) {
#pragma GCC unroll 24
    for (std::int32_t& sum : sums) {
      asm volatile("" : "+r"(a), "+r"(b));
      sum += a * b;
      asm volatile("" : "+r"(sum));
    }
    a = 3;
  }
  return times * chains;
}

}  // namespace

void scalar(PeakRegistry& registry) {
  registry.add({"scalar", "multiply and add", PeakLoop::Elements::int8, [] { return true; }, products});
}

}  // namespace stair::runtime::peak
