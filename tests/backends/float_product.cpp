#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/product.h"
#include "tests/backends/random_numbers.h"
#include "tests/support/seeds.h"

namespace stair::tests {
namespace {

using backends::openblas::AlignedFloats;
using backends::openblas::Matrix;
using backends::openblas::direct::Product;

struct Case {
  std::int64_t m, n, k;
  bool transposed_a, transposed_b, has_bias;
  std::vector<float> a, b, bias;

  explicit Case(RandomNumbers& draw)
      : m(draw.between(1, 150)),
        n(draw.between(1, 200)),
        k(draw.between(1, 300)),
        transposed_a(draw.between(0, 1) == 1),
        transposed_b(draw.between(0, 1) == 1),
        has_bias(draw.between(0, 1) == 1),
        a(draw.floats(m * k)),
        b(draw.floats(k * n)),
        bias(draw.floats(n)) {}

  double expected(std::int64_t row, std::int64_t column) const {
    double sum = has_bias ? static_cast<double>(bias[static_cast<std::size_t>(column)]) : 0;
    for (std::int64_t i = 0; i < k; ++i) {
      sum += static_cast<double>(a[static_cast<std::size_t>(transposed_a ? i * m + row : row * k + i)]) *
             static_cast<double>(b[static_cast<std::size_t>(transposed_b ? column * k + i : i * n + column)]);
    }
    return sum;
  }
};

// Results are garbage before.
std::vector<float> run(const Case& c, bool packed, int threads) {
  const Product product(c.m, c.n, c.k, c.transposed_a);
  const Matrix b{c.b.data(), c.transposed_b ? c.k : c.n, c.transposed_b};
  const AlignedFloats weights(packed ? product.packed_floats() : 0);
  if (packed) product.pack(b, weights.data(), threads);
  const AlignedFloats scratch(static_cast<std::int64_t>(product.scratch_bytes(threads) / sizeof(float)));
  std::vector<float> y(static_cast<std::size_t>(c.m * c.n), std::nanf(""));
  product.run(c.a.data(), packed ? Matrix{nullptr, 0} : b, packed ? weights.data() : nullptr, c.has_bias ? c.bias.data() : nullptr,
              y.data(), reinterpret_cast<std::byte*>(scratch.data()), threads);
  return y;
}

}  // namespace

TEST_CASE("a float product is what the definition says, with the same bits packed before or on the way, for any number of threads") {
  for (const std::uint64_t seed : seeds(150)) {
    INFO(replay(seed));
    RandomNumbers draw(seed);
    const Case c(draw);
    const std::vector<float> first = run(c, false, 1);
    double worst = 0;
    for (std::int64_t row = 0; row < c.m; ++row) {
      for (std::int64_t column = 0; column < c.n; ++column) {
        const auto found = static_cast<double>(first[static_cast<std::size_t>(row * c.n + column)]);
        worst = std::isnan(found) ? HUGE_VAL : std::max(worst, std::abs(found - c.expected(row, column)));
      }
    }
    CHECK(worst <= 1e-6 * static_cast<double>(c.k + 1));
    for (const bool packed : {false, true}) {
      for (const int threads : {1, 2, 3}) {
        const std::vector<float> y = run(c, packed, threads);
        CHECK(std::memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
      }
    }
  }
}

}  // namespace stair::tests
