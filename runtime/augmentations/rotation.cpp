#include <cmath>
#include <numbers>
#include <utility>

#include "runtime/augmentation.h"

namespace stair::runtime::augmentations_ {
namespace {

// Each element of the result looks where it comes from, and takes the four elements around by bilinear interpolation, as in Simard,
// Steinkraus, Platt 2003; beyond the picture there are zeros.
void turn_picture(Picture& picture, const ir::Attribute& setting, std::span<const std::uint64_t> random) {
  const double most = std::get<double>(setting);
  const double angle = uniform(random[0], -most, most) * std::numbers::pi / 180;
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  const std::int64_t height = picture.height;
  const std::int64_t width = picture.width;
  const double middle_y = static_cast<double>(height - 1) / 2;
  const double middle_x = static_cast<double>(width - 1) / 2;
  const std::vector<float> from = std::exchange(picture.values, std::vector<float>(picture.values.size()));
  for (std::int64_t h = 0; h < height; ++h) {
    for (std::int64_t w = 0; w < width; ++w) {
      const double down = static_cast<double>(h) - middle_y;
      const double right = static_cast<double>(w) - middle_x;
      const double y = middle_y + cosine * down + sine * right;
      const double x = middle_x + cosine * right - sine * down;
      const auto top = static_cast<std::int64_t>(std::floor(y));
      const auto left = static_cast<std::int64_t>(std::floor(x));
      const auto part_y = static_cast<float>(y - static_cast<double>(top));
      const auto part_x = static_cast<float>(x - static_cast<double>(left));
      for (std::int64_t c = 0; c < picture.channels; ++c) {
        const auto at = [&](std::int64_t row, std::int64_t column) {
          const bool inside = row >= 0 && row < height && column >= 0 && column < width;
          return inside ? from[static_cast<std::size_t>((c * height + row) * width + column)] : 0.0F;
        };
        const float above = (1 - part_x) * at(top, left) + part_x * at(top, left + 1);
        const float below = (1 - part_x) * at(top + 1, left) + part_x * at(top + 1, left + 1);
        picture.values[static_cast<std::size_t>((c * height + h) * width + w)] = (1 - part_y) * above + part_y * below;
      }
    }
  }
}

}  // namespace

void rotation(AugmentationRegistry& registry) {
  registry.add({.name = "rotation",
                .summary = "by an angle between minus and plus so many degrees about the middle, bilinear, zeros outside",
                .setting = {.name = "", .doc = "", .fallback = 0.0, .bounds = ir::within(0, 180)},
                .streams = {111},
                .change = turn_picture,
                .widen = with_zero});
}

}  // namespace stair::runtime::augmentations_
