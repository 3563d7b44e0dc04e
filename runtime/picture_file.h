#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stair::runtime {

/// A decoded picture: rows from the top, the channels of a pixel side by side.
struct DecodedPicture {
  std::int64_t width = 0, height = 0, channels = 0;
  std::vector<std::uint8_t> bytes;  ///< [height, width, channels]
};

/// Decodes a PNG or JPEG file (8 bits a channel; 16 are cut to the upper 8) to 1 channel (grey, of a coloured one its luminance) or 3 (red,
/// green, blue); an alpha channel is left out. Error naming the file where it is no such picture, is damaged, or has more than 16,384
/// pixels a side.
DecodedPicture read_picture(const std::string& path, std::int64_t channels);

/// The picture at [channels, height, width], u8, into `to`: scaled, its proportions kept, so that its shorter side (relative to that of the
/// result) has the given size or `shorter` pixels where that isn't 0, then cut out of its middle. A picture of that size already isn't
/// touched. Scaling is stb_image_resize's, with its default filters (Catmull-Rom up, Mitchell-Netravali down) on the bytes as they are.
void fit_picture(const DecodedPicture& picture, std::int64_t shorter, std::int64_t height, std::int64_t width, std::uint8_t* to);

}  // namespace stair::runtime
