#include <algorithm>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// As tf.image.random_brightness: one offset for the whole picture.
void shift_values(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random) {
  const double most = std::get<double>(setting);
  const auto offset = static_cast<float>(uniform(random[0], -most, most));
  for (float& x : picture.values) {
    x += offset;
    if (picture.bytes) x = std::clamp(x, 0.0F, 1.0F);
  }
}

void widen_by_offset(const ir::Attribute& setting, backends::MinMax& range) {
  const auto most = static_cast<float>(std::get<double>(setting));
  range.see(range.low - most, range.high + most);
}

}  // namespace

void brightness(AugmentationRegistry& registry) {
  registry.add({.name = "brightness",
                .summary = "an offset between minus and plus so much, of pictures divided by 255; bytes stay between 0 and 1",
                .setting = {.name = "", .doc = "", .fallback = 0.0, .bounds = ir::within(0, 1e6)},
                .streams = {109},
                .change = shift_values,
                .widen = widen_by_offset});
}

}  // namespace stair::runtime::augmentations_
