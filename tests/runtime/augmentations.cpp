#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "ir/random.h"
#include "runtime/augmentation.h"

using namespace stair;
using runtime::Picture;

namespace {

// What a kind makes of the picture with these random numbers.
Picture changed(const char* kind, Picture picture, const ir::Attribute& setting, const std::vector<std::uint64_t>& random) {
  runtime::augmentations().named(kind, "augmentation").change(picture, setting, random);
  return picture;
}

// No element is 0, and none stands twice.
Picture numbered(std::int64_t channels, std::int64_t height, std::int64_t width) {
  Picture picture{channels, height, width, {}};
  for (std::int64_t i = 0; i < channels * height * width; ++i) picture.values.push_back(static_cast<float>(i + 1));
  return picture;
}

}  // namespace

// One number for two purposes would tie them to each other.
TEST_CASE("every stream of random numbers has one purpose") {
  std::set<std::uint64_t> streams{101};  // shuffling
  std::size_t count = 1;
  for (const auto& [name, kind] : runtime::augmentations().all()) {
    streams.insert(kind.streams.begin(), kind.streams.end());
    count += kind.streams.size();
  }
  CHECK(count > 3);
  CHECK(streams.size() == count);
}

TEST_CASE("the default of every augmentation switches it off, another value switches it on alone") {
  const ir::Attributes off = ir::completed(runtime::augmentation_spec().members, {}, "", "key");
  CHECK(runtime::switched_on(off).empty());
  CHECK(runtime::switched_on({}).empty());
  for (const auto& [name, kind] : runtime::augmentations().all()) {
    ir::Attributes on = off;
    on.set(name, std::holds_alternative<bool>(kind.setting.fallback)     ? ir::Attribute(true)
                 : std::holds_alternative<double>(kind.setting.fallback) ? ir::Attribute(0.5)
                                                                         : ir::Attribute(std::int64_t{1}));
    const auto found = runtime::switched_on(on);
    REQUIRE(found.size() == 1);
    CHECK(found.front().first == &kind);
    CHECK(found.front().second == on.at(name));
  }
}

// By definition, element by element.
TEST_CASE("cutout zeroes the part of its square that lies in the picture, the same in all channels") {
  constexpr std::int64_t height = 5;
  constexpr std::int64_t width = 4;
  const Picture before = numbered(2, height, width);
  std::map<std::int64_t, int> areas;
  for (const std::int64_t size : {1, 2, 3, 8}) {
    for (std::uint64_t y = 0; y < 10; ++y) {
      for (std::uint64_t x = 0; x < 8; ++x) {
        const Picture after = changed("cutout", before, size, {y, x});
        const std::int64_t top = static_cast<std::int64_t>(y) % height - size / 2;
        const std::int64_t left = static_cast<std::int64_t>(x) % width - size / 2;
        std::int64_t zeros = 0;
        for (std::size_t i = 0; i < before.values.size(); ++i) {
          const std::int64_t h = static_cast<std::int64_t>(i) / width % height;
          const std::int64_t w = static_cast<std::int64_t>(i) % width;
          const bool cut = h >= top && h < top + size && w >= left && w < left + size;
          CHECK(after.values[i] == (cut ? 0 : before.values[i]));
          if (cut) ++zeros;
        }
        ++areas[zeros / 2];
      }
    }
  }
  CHECK(areas.begin()->first > 0);
  CHECK(areas.size() > 5);
}

TEST_CASE("a crop beyond the picture leaves zeros, and one by nothing the picture") {
  const Picture before = numbered(1, 3, 2);
  CHECK(changed("crop_padding", before, std::int64_t{8}, {0, 0}).values == std::vector<float>(6, 0));
  CHECK(changed("crop_padding", before, std::int64_t{8}, {8, 8}).values == before.values);
  CHECK(changed("crop_padding", before, std::int64_t{1}, {2, 1}).values == std::vector<float>{3, 4, 5, 6, 0, 0});
  CHECK(changed("flip", before, true, {1}).values == std::vector<float>{2, 1, 4, 3, 6, 5});
  CHECK(changed("flip", before, true, {2}).values == before.values);
}

TEST_CASE("brightness adds one offset, contrast stretches about each channel's mean, and bytes stay between 0 and 1") {
  constexpr std::uint64_t half = std::uint64_t{1} << 63U;
  constexpr std::uint64_t last = ~std::uint64_t{0};
  Picture before{2, 1, 2, {0.25F, 0.75F, 0.5F, 1}};
  CHECK(changed("brightness", before, 0.5, {half}).values == before.values);
  CHECK(changed("brightness", before, 0.5, {0}).values == std::vector<float>{-0.25F, 0.25F, 0, 0.5F});
  CHECK(changed("brightness", before, 0.5, {last}).values == std::vector<float>{0.75F, 1.25F, 1, 1.5F});
  CHECK(changed("contrast", before, 0.5, {half}).values == before.values);
  CHECK(changed("contrast", before, 0.5, {0}).values == std::vector<float>{0.375F, 0.625F, 0.625F, 0.875F});
  CHECK(changed("contrast", before, 0.5, {last}).values == std::vector<float>{0.125F, 0.875F, 0.375F, 1.125F});
  before.bytes = true;
  CHECK(changed("brightness", before, 0.5, {0}).values == std::vector<float>{0, 0.25F, 0, 0.5F});
  CHECK(changed("brightness", before, 0.5, {last}).values == std::vector<float>{0.75F, 1, 1, 1});
  CHECK(changed("contrast", before, 0.5, {last}).values == std::vector<float>{0.125F, 0.875F, 0.375F, 1});
}

// Against the definition in other words: the value at a place is the sum of all elements, each by its tent's height there.
TEST_CASE("rotation turns about the middle, with zeros outside") {
  constexpr std::int64_t height = 4;
  constexpr std::int64_t width = 5;
  const Picture before = numbered(2, height, width);
  for (std::uint64_t n = 0; n < 9; ++n) {
    const std::uint64_t random = n << 60U;  // of 180 degrees: -180, -157.5, …
    const double angle = (-180.0 + 22.5 * static_cast<double>(n)) * 3.14159265358979323846 / 180;
    const Picture after = changed("rotation", before, 180.0, {random});
    for (std::int64_t c = 0; c < 2; ++c) {
      for (std::int64_t h = 0; h < height; ++h) {
        for (std::int64_t w = 0; w < width; ++w) {
          const double y = 1.5 + (static_cast<double>(h) - 1.5) * std::cos(angle) + (static_cast<double>(w) - 2) * std::sin(angle);
          const double x = 2 - (static_cast<double>(h) - 1.5) * std::sin(angle) + (static_cast<double>(w) - 2) * std::cos(angle);
          double sum = 0;
          for (std::int64_t i = 0; i < height * width; ++i) {
            const double tent_y = std::max(0.0, 1 - std::fabs(y - static_cast<double>(i / width)));
            const double tent_x = std::max(0.0, 1 - std::fabs(x - static_cast<double>(i % width)));
            sum += tent_y * tent_x * static_cast<double>(before.values[static_cast<std::size_t>(c * height * width + i)]);
          }
          CHECK(static_cast<double>(after.values[static_cast<std::size_t>((c * height + h) * width + w)]) ==
                doctest::Approx(sum).epsilon(1e-5));
        }
      }
    }
    if (n == 8) CHECK(after.values == before.values);
  }
}

// What N-FINITE is checked with: no draw may leave the range.
TEST_CASE("the range that a kind announces holds what it makes of floats") {
  for (const auto& [name, kind] : runtime::augmentations().all()) {
    if (kind.cuts_windows || kind.mixes) continue;
    const std::string kind_name = kind.name;
    CAPTURE(kind_name);
    const ir::Attribute setting = std::holds_alternative<double>(kind.setting.fallback) ? ir::Attribute(0.75)
                                  : std::holds_alternative<bool>(kind.setting.fallback) ? ir::Attribute(true)
                                                                                        : ir::Attribute(std::int64_t{3});
    Picture before = numbered(2, 6, 5);
    for (std::uint64_t n = 0; n < 64; ++n) {
      backends::MinMax range{1, 60};
      if (kind.widen) kind.widen(setting, range);
      std::vector<std::uint64_t> random;
      for (const std::uint64_t stream : kind.streams)
        random.push_back(ir::random_bits(1, stream, 0, n) | (n % 3 == 0 ? 0xffULL << 56U : 0));
      const Picture after = changed(name.c_str(), before, setting, random);
      for (const float x : after.values) CHECK((x >= range.low && x <= range.high));
    }
  }
}

// Beta(a, a) has the mean 1 / 2 and the variance 1 / (4 (2 a + 1)).
TEST_CASE("shares of mixtures follow their distribution") {
  const auto& mixes = runtime::augmentations().named("mixup", "augmentation").mixes;
  for (const double alpha : {1e-3, 0.2, 0.5, 1.0}) {
    CAPTURE(alpha);
    double sum = 0;
    double squares = 0;
    constexpr int draws = 4000;
    for (std::uint64_t n = 0; n < draws; ++n) {
      const double share = mixes(ir::Attribute(alpha), ir::random_bits(1, 2, 3, n));
      REQUIRE(share >= 0);
      REQUIRE(share <= 1);
      sum += share;
      squares += (share - 0.5) * (share - 0.5);
    }
    CHECK(sum / draws == doctest::Approx(0.5).epsilon(0.05));
    CHECK(squares / draws == doctest::Approx(1 / (4 * (2 * alpha + 1))).epsilon(0.05));
  }
}
