#include "tests/support/picture_files.h"

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

namespace stair::tests {
namespace {

void append(void* to, void* bytes, int count) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

std::vector<std::uint8_t> some_bytes() {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 16 * 12 * 3; ++i) bytes.push_back(static_cast<std::uint8_t>(i * i >> 3));
  return bytes;
}

}  // namespace

std::string png_file(int height, int width, int channels, const std::vector<std::uint8_t>& bytes) {
  std::string file;
  stbi_write_png_to_func(append, &file, width, height, channels, bytes.data(), width * channels);
  return file;
}

std::string jpeg_file(int height, int width, int channels, const std::vector<std::uint8_t>& bytes) {
  std::string file;
  stbi_write_jpg_to_func(append, &file, width, height, channels, bytes.data(), 95);
  return file;
}

std::string png_picture() {
  return png_file(16, 12, 3, some_bytes());
}

std::string jpeg_picture() {
  return jpeg_file(16, 12, 3, some_bytes());
}

}  // namespace stair::tests
