#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/examples.h"

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

/// Whether a file's name is one of a PNG or JPEG picture: .png, .jpg or .jpeg, in any case.
bool names_a_picture(const std::string& path);

/// Such a picture scaled, its proportions kept, so that it covers height x width, or so that its shorter side, relative to that of the two,
/// has `shorter` pixels where these are more. What has that size already isn't touched. Scaling is stb_image_resize's, with its default
/// filters (Catmull-Rom up, Mitchell-Netravali down) on the bytes as they are. Error as read_picture(), and where a side would have more
/// than 16,384 pixels then.
DecodedPicture read_scaled_picture(const std::string& path, std::int64_t channels, std::int64_t shorter, std::int64_t height,
                                   std::int64_t width);

/// A window [channels, height, width] of a picture that is as large or larger, into `to`: at a random place, or, where there is none, in
/// its middle.
void cut_window(const DecodedPicture& picture, const Window* window, std::int64_t height, std::int64_t width, std::uint8_t* to);

}  // namespace stair::runtime
