#include <algorithm>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

void flip_picture(Picture& picture, const ir::Attribute& /*setting*/, std::span<const std::uint64_t> random) {
  if (random[0] % 2 == 0) return;
  for (auto row = picture.values.begin(); row != picture.values.end(); row += picture.width) std::reverse(row, row + picture.width);
}

}  // namespace

void flip(AugmentationRegistry& registry) {
  registry.add({.name = "flip",
                .summary = "left-right, one picture in two",
                .setting = {.name = "", .doc = "", .fallback = false},
                .streams = {102},
                .change = flip_picture});
}

}  // namespace stair::runtime::augmentations_
