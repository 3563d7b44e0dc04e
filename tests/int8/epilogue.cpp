#include <doctest/doctest.h>

#include <cstring>

#include "tests/int8/random_epilogue.h"
#include "tests/support/seeds.h"

using namespace stair;
using namespace stair::backends::int8;

// N-REQ, N-LOGITS, N-POINT: every kind of epilogue on every variant against ir/numerics.h.
TEST_CASE("epilogue: the bits of ir/numerics.h") {
  for (const Isa isa : present_isas()) {
    for (const std::uint64_t seed : tests::seeds(300)) {
      tests::Random random(seed);
      const std::int64_t channels = random(1, 70);
      const std::int64_t rows = random(1, 9);
      const std::int64_t magnitude = random.pick<std::int64_t>({300, 20'000, 3'000'000});
      const tests::RandomEpilogue e(random, channels, magnitude);
      const std::int64_t stride = (channels + 15) / 16 * 16;
      const auto sums = random.integers<std::int32_t>(rows * stride, -magnitude, magnitude);
      const auto other = random.integers<std::uint8_t>(rows * channels, 0, 255);
      const std::int64_t row_bytes = channels * e.result_bytes();
      std::vector<std::byte> results(static_cast<std::size_t>(rows * row_bytes) + 1, std::byte{0x5a});
      kernels_of(isa).epilogue(e.epilogue, {sums.data(), stride, rows, 0, channels, results.data(), row_bytes, other.data(), channels});
      std::int64_t wrong = 0;
      for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t c = 0; c < channels; ++c) {
          std::uint32_t found = 0;
          std::memcpy(&found, results.data() + row * row_bytes + c * e.result_bytes(), static_cast<std::size_t>(e.result_bytes()));
          if (found != e.expected(sums[static_cast<std::size_t>(row * stride + c)], c, other[static_cast<std::size_t>(row * channels + c)]))
            ++wrong;
        }
      }
      CAPTURE(name_of(isa));
      INFO(tests::replay(seed));
      REQUIRE(wrong == 0);
      REQUIRE(results.back() == std::byte{0x5a});
    }
  }
}
