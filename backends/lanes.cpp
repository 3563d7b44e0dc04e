#include "backends/lanes.h"

#include <algorithm>

#include "backends/multiversion.h"
#include "backends/vectors.h"

namespace stair::backends {
namespace {

// What sums in double begin with: sums in float of at most 32 elements, which stay in registers and cost a third.
class Short {
 public:
  static constexpr int lanes = 32;

  STAIR_INLINE void add(const Floats& low, const Floats& high) {
    low_ += low;
    high_ += high;
  }
  STAIR_INLINE void add(const float (&x)[lanes]) {
    Floats low, high;
    load(x, low);
    load(x + lanes / 2, high);
    add(low, high);
  }
  STAIR_INLINE void fold(Lanes<double>& sum) const {
    float low[lanes / 2];
    float high[lanes / 2];
    store(low_, low);
    store(high_, high);
    STAIR_SIMD
    for (int i = 0; i < lanes / 2; ++i) sum.lane[i] += static_cast<double>(low[i]) + static_cast<double>(high[i]);
  }

 private:
  static_assert(lanes == 2 * Lanes<double>::count);
  Floats low_ = {}, high_ = {};
};

// Calls vectors(i) for 32 elements at a time, rest(i, n) for the n that are left, and fold() after runs of at most 32 such.
template <class Vectors, class Rest, class Fold>
STAIR_INLINE void for_short_runs(std::int64_t count, Vectors&& vectors, Rest&& rest, Fold&& fold) {
  constexpr std::int64_t most = 32 * Short::lanes;
  for (std::int64_t i = 0; i < count;) {
    const std::int64_t end = std::min(count, i + most);
    for (; i + Short::lanes <= end; i += Short::lanes) vectors(i);
    if (i < end) rest(i, end - i);
    i = end;
    fold();
  }
}

STAIR_INLINE void load_pair(const float* x, Floats& low, Floats& high) {
  load(x, low);
  load(x + Short::lanes / 2, high);
}

STAIR_INLINE void mask_pair(const std::uint8_t* mask, std::int64_t i, Floats& low, Floats& high) {
  keep_marked(mask + i / 8, low);
  keep_marked(mask + i / 8 + 2, high);
}

STAIR_INLINE void fetch_pair(const float* x) {
  __builtin_prefetch(x, 0, 2);
  __builtin_prefetch(x + Short::lanes / 2, 0, 2);
}

template <bool masked>
STAIR_INLINE void products(const float* dy, const std::uint8_t* mask, const float* x, float mean, float inv_std, std::int64_t count,
                           std::int64_t next, Lanes<double>& sum, Lanes<double>& product) {
  Short s, p;
  for_short_runs(
      count,
      [&](std::int64_t i) STAIR_INLINE_BODY {
        Floats low, high, x_low, x_high;
        load_pair(dy + i, low, high);
        if constexpr (masked) mask_pair(mask, i, low, high);
        load_pair(x + i, x_low, x_high);
        fetch_pair(dy + next + i);
        fetch_pair(x + next + i);
        s.add(low, high);
        p.add(low * ((x_low - mean) * inv_std), high * ((x_high - mean) * inv_std));
      },
      [&](std::int64_t i, std::int64_t n) STAIR_INLINE_BODY {
        float last[Short::lanes] = {};
        float last_products[Short::lanes] = {};
        for (std::int64_t lane = 0; lane < n; ++lane) {
          const std::int64_t at = i + lane;
          if (masked && (mask[at / 8] >> at % 8 & 1) == 0) continue;
          last[lane] = dy[at];
          last_products[lane] = dy[at] * ((x[at] - mean) * inv_std);
        }
        s.add(last);
        p.add(last_products);
      },
      [&]() STAIR_INLINE_BODY {
        s.fold(sum);
        p.fold(product);
        s = p = {};
      });
}

}  // namespace

STAIR_MULTIVERSION void add_products(const float* dy, const std::uint8_t* mask, const float* x, float mean, float inv_std,
                                     std::int64_t count, std::int64_t next, Lanes<double>& sum, Lanes<double>& product) {
  if (mask != nullptr) {
    products<true>(dy, mask, x, mean, inv_std, count, next, sum, product);
  } else {
    products<false>(dy, mask, x, mean, inv_std, count, next, sum, product);
  }
}

STAIR_MULTIVERSION void add_run(const float* x, std::int64_t count, Lanes<float>& sum) {
  Floats s;
  load(sum.lane, s);
  std::int64_t i = 0;
  for (; i + Lanes<float>::count <= count; i += Lanes<float>::count) {
    Floats some;
    load(x + i, some);
    s += some;
  }
  store(s, sum.lane);
  for (int lane = 0; i < count; ++lane, ++i) sum.lane[lane] += x[i];
}

STAIR_MULTIVERSION void add_products(const float* a, const float* b, std::int64_t count, Lanes<float>& sum) {
  Floats s;
  load(sum.lane, s);
  std::int64_t i = 0;
  for (; i + Lanes<float>::count <= count; i += Lanes<float>::count) {
    Floats x, y;
    load(a + i, x);
    load(b + i, y);
    s += x * y;
  }
  store(s, sum.lane);
  for (int lane = 0; i < count; ++lane, ++i) sum.lane[lane] += a[i] * b[i];
}

}  // namespace stair::backends
