#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stair::tests {

/// A picture's file, of bytes [height, width, channels].
std::string png_file(int height, int width, int channels, const std::vector<std::uint8_t>& bytes);
std::string jpeg_file(int height, int width, int channels, const std::vector<std::uint8_t>& bytes);

/// Some picture of 16 x 12 in three channels.
std::string png_picture();
std::string jpeg_picture();

}  // namespace stair::tests
