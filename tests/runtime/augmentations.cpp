#include <doctest/doctest.h>

#include <map>
#include <set>

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
    on.set(name, std::holds_alternative<bool>(kind.setting.fallback) ? ir::Attribute(true) : ir::Attribute(std::int64_t{1}));
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
