#include <algorithm>
#include <utility>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// A window of the picture's size from the picture with so many zeros around it.
void crop_picture(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random) {
  const auto padding = std::get<std::int64_t>(setting);
  const auto shift = [&](std::uint64_t bits) {
    return static_cast<std::int64_t>(bits % static_cast<std::uint64_t>(2 * padding + 1)) - padding;
  };
  const std::int64_t down = shift(random[0]);
  const std::int64_t right = shift(random[1]);
  const std::vector<float> from = std::exchange(picture.values, std::vector<float>(picture.values.size()));
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    for (std::int64_t h = std::max<std::int64_t>(0, -down); h < std::min(picture.height, picture.height - down); ++h) {
      float* const to = picture.values.data() + (c * picture.height + h) * picture.width;
      const float* const row = from.data() + (c * picture.height + h + down) * picture.width;
      for (std::int64_t w = std::max<std::int64_t>(0, -right); w < std::min(picture.width, picture.width - right); ++w)
        to[w] = row[w + right];
    }
  }
}

}  // namespace

void crop_padding(AugmentationRegistry& registry) {
  registry.add({.name = "crop_padding",
                .summary = "random crop from the picture with so many zeros around it",
                .setting = {.name = "", .doc = "", .fallback = std::int64_t{0}, .bounds = ir::within(0, 64)},
                .streams = {103, 104},
                .change = crop_picture,
                .widen = with_zero});
}

}  // namespace stair::runtime::augmentations_
