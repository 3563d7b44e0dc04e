#include <doctest/doctest.h>

#include "backends/int8/kernels.h"
#include "tests/int8/random.h"
#include "tests/support/seeds.h"

using namespace stair;
using namespace stair::backends::int8;

namespace {

template <class T>
void check(void (*transpose)(const T*, std::int64_t, std::int64_t, T*), tests::Random& random) {
  if (transpose == nullptr) return;
  const std::int64_t rows = random.coin() ? random(1, 70) : 16 * random(1, 4);
  const std::int64_t columns = random.coin() ? random(1, 200) : 64 * random(1, 4);
  const auto from = random.integers<T>(rows * columns, 0, 255);
  std::vector<T> to(from.size() + 1, T{0x5a});
  transpose(from.data(), rows, columns, to.data());
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    if (to[static_cast<std::size_t>(i % columns * rows + i / columns)] != from[static_cast<std::size_t>(i)]) ++wrong;
  }
  CAPTURE(rows);
  CAPTURE(columns);
  CHECK(wrong == 0);
  CHECK(to.back() == T{0x5a});
}

}  // namespace

TEST_CASE("variants turn matrices of words and bytes") {
  for (const Isa isa : present_isas()) {
    CAPTURE(name_of(isa));
    for (const std::uint64_t seed : tests::seeds(100)) {
      INFO(tests::replay(seed));
      tests::Random random(seed);
      check(kernels_of(isa).transpose, random);
      check(kernels_of(isa).transpose_bytes, random);
    }
  }
}
