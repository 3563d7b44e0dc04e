#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "backends/channels.h"
#include "backends/moments.h"
#include "backends/openblas/statistics.h"
#include "tests/support/seeds.h"

// Mean and variance in one read, of values that lie far from zero beside how much they scatter, and of rows that lie far from each other.

namespace stair::tests {

namespace openblas = backends::openblas;

TEST_CASE("means and variances are those of the definition, however far the values lie from zero") {
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    std::mt19937_64 random(seed);
    const auto pick = [&](std::int64_t most) { return std::uniform_int_distribution<std::int64_t>(1, most)(random); };
    const bool columns = pick(3) == 1;
    const ir::Shape shape = columns ? ir::Shape{1 + pick(200), pick(150)} : ir::Shape{pick(9), pick(12), 1 + pick(40), 1 + pick(40)};
    const backends::ChannelView view(shape, 1);
    const float offset = std::pow(10.0F, static_cast<float>(pick(4)));
    std::normal_distribution<float> scatter(0, 1);
    std::vector<float> x(static_cast<std::size_t>(ir::element_count(shape)));
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = offset + scatter(random);
    // The first image far from the others.
    if (pick(2) == 1) {
      for (std::int64_t i = 0; i < view.channels * view.inner; ++i) x[static_cast<std::size_t>(i)] -= offset;
    }
    const auto channels = static_cast<std::size_t>(view.channels);
    std::vector<float> mean(channels);
    std::vector<float> variance(channels);
    const openblas::ChannelBlocks blocks(view, 2);
    for (std::int64_t b = 0; b < blocks.count(); ++b) {
      const openblas::ChannelBlock block = blocks.at(b);
      openblas::moments(view, x.data(), block, mean.data() + block.first, variance.data() + block.first);
    }
    for (std::int64_t c = 0; c < view.channels; ++c) {
      double sum = 0;
      double squares = 0;
      const auto each = [&](auto&& body) {
        for (std::int64_t n = 0; n < view.outer; ++n) {
          for (std::int64_t i = 0; i < view.inner; ++i) {
            body(static_cast<double>(x[static_cast<std::size_t>((n * view.channels + c) * view.inner + i)]));
          }
        }
      };
      const auto count = static_cast<double>(view.outer * view.inner);
      each([&](double value) { sum += value; });
      each([&](double value) { squares += (value - sum / count) * (value - sum / count); });
      const double expected = squares / count;
      const auto i = static_cast<std::size_t>(c);
      CHECK(std::fabs(static_cast<double>(mean[i]) - sum / count) <= 1e-6 * std::fabs(sum / count) + 1e-6 * std::sqrt(expected));
      CHECK(std::fabs(static_cast<double>(variance[i]) - expected) <= 1e-5 * expected);
    }
  }
}

TEST_CASE("moments of a row stay true where the element that they are centred on is far from the others") {
  for (const std::uint64_t seed : seeds(60)) {
    INFO(replay(seed));
    std::mt19937_64 random(seed);
    std::normal_distribution<float> scatter(0, 1);
    std::vector<float> x(std::uniform_int_distribution<std::size_t>(2, 1024)(random));
    for (float& value : x) value = scatter(random);
    x.front() = std::pow(10.0F, static_cast<float>(seed % 4));
    double mean = 0;
    for (const float value : x) mean += static_cast<double>(value) / static_cast<double>(x.size());
    double squares = 0;
    for (const float value : x) squares += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
    const backends::Moments found = backends::moments_of(x.data(), static_cast<std::int64_t>(x.size()));
    CHECK(std::fabs(found.mean - mean) <= 1e-6 * std::sqrt(squares));
    CHECK(std::fabs(found.squares - squares) <= 0x1p-12 * squares);
  }
}

TEST_CASE("moments and extent of a row in one read are those of a read each") {
  for (const std::uint64_t seed : seeds(100)) {
    INFO(replay(seed));
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<float> draw(-8, 8);
    std::vector<float> x(std::uniform_int_distribution<std::size_t>(1, seed % 2 == 0 ? 100 : 4000)(random));
    for (float& value : x) value = draw(random);
    const auto count = static_cast<std::int64_t>(x.size());
    const backends::Moments expected = backends::moments_of(x.data(), count);
    backends::MinMax extent;
    const backends::Moments found = backends::moments_of(x.data(), count, extent);
    CHECK(found.mean == expected.mean);
    CHECK(found.squares == expected.squares);
    const auto [least, most] = std::minmax_element(x.begin(), x.end());
    CHECK(extent.low == *least);
    CHECK(extent.high == *most);
    backends::MinMax alone;
    alone.see(x.data(), count);
    CHECK(alone.low == *least);
    CHECK(alone.high == *most);
  }
}

}  // namespace stair::tests
