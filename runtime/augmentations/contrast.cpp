#include <algorithm>
#include <numeric>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// As tf.image.random_contrast: one factor, and the mean of each channel stays.
void stretch_values(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random) {
  const double most = std::get<double>(setting);
  const auto factor = static_cast<float>(uniform(random[0], 1 - most, 1 + most));
  const std::int64_t area = picture.height * picture.width;
  for (auto first = picture.values.begin(); first != picture.values.end(); first += area) {
    const auto mean = static_cast<float>(std::accumulate(first, first + area, 0.0) / static_cast<double>(area));
    std::for_each(first, first + area, [&](float& x) {
      x = (x - mean) * factor + mean;
      if (picture.bytes) x = std::clamp(x, 0.0F, 1.0F);
    });
  }
}

// The mean may lie anywhere in the range.
void widen_by_factor(const ir::Attribute& setting, backends::MinMax& range) {
  const float more = (range.high - range.low) * static_cast<float>(std::get<double>(setting));
  range.see(range.low - more, range.high + more);
}

}  // namespace

void contrast(AugmentationRegistry& registry) {
  registry.add(
      {.name = "contrast",
       .summary = "differences from the channel's mean times a factor between 1 minus and 1 plus so much; bytes stay between 0 and 1",
       .setting = {.name = "", .doc = "", .fallback = 0.0, .bounds = ir::within(0, 1)},
       .streams = {110},
       .change = stretch_values,
       .widen = widen_by_factor});
}

}  // namespace stair::runtime::augmentations_
