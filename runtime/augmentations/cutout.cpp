#include <algorithm>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// DeVries, Taylor 2017: the square's middle is any element of the picture, so that parts of it may lie outside.
void cut_square(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random) {
  const auto size = std::get<std::int64_t>(setting);
  const auto range = [&](std::uint64_t bits, std::int64_t length) {
    const std::int64_t first = static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(length)) - size / 2;
    return std::pair{std::max<std::int64_t>(0, first), std::min(length, first + size)};
  };
  const auto [top, bottom] = range(random[0], picture.height);
  const auto [left, right] = range(random[1], picture.width);
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    for (std::int64_t h = top; h < bottom; ++h) {
      const auto row = picture.values.begin() + (c * picture.height + h) * picture.width;
      std::fill(row + left, row + right, 0.0F);
    }
  }
}

}  // namespace

void cutout(AugmentationRegistry& registry) {
  registry.add({.name = "cutout",
                .summary = "zeros in a square of so many elements a side, at a random place",
                .setting = {.name = "", .doc = "", .fallback = std::int64_t{0}, .bounds = ir::within(0, 1024)},
                .streams = {105, 106},
                .change = cut_square,
                .widen = with_zero});
}

}  // namespace stair::runtime::augmentations_
