#include "runtime/picture_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>

#include "ir/error.h"
#include "runtime/file.h"

// Where a PNG's first IDAT chunk is empty, stb_image 2.27 copies no bytes to nowhere, which memcpy doesn't allow.
static void* copy_bytes(void* to, const void* from, std::size_t count) {
  return count == 0 ? to : std::memcpy(to, from, count);
}
#define memcpy copy_bytes

// As implementations of our own, so that sanitizers see what they do with damaged files.
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_MAX_DIMENSIONS 16384
#include <stb/stb_image.h>
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#define STB_IMAGE_RESIZE_STATIC
#include <stb/stb_image_resize.h>
#undef memcpy

namespace stair::runtime {
namespace {

// stb_image 2.27 writes behind its table where a JPEG's Huffman tables announce more than 256 codes. Markers are found as it finds them:
// before the first scan from segment to segment, behind it anywhere.
bool has_too_long_codes(const std::string& file) {
  const auto byte = [&](std::size_t at) { return at < file.size() ? static_cast<unsigned char>(file[at]) : 0U; };
  constexpr unsigned start = 0xD8, huffman = 0xC4, scan = 0xDA, end = 0xD9;
  constexpr std::size_t lengths = 16;
  bool scanned = false;
  for (std::size_t at = 0; at + 1 < file.size(); ++at) {
    if (byte(at) != 0xFF || byte(at + 1) == 0xFF) continue;
    const unsigned marker = byte(at + 1);
    const std::size_t last = at + 2 + std::size_t{byte(at + 2)} * 256 + byte(at + 3);
    if (marker == huffman) {
      for (std::size_t table = at + 4; table < last;) {
        std::size_t codes = 0;
        for (std::size_t i = 1; i <= lengths; ++i) codes += byte(table + i);
        if (codes > 256) return true;
        table += 1 + lengths + codes;
      }
    }
    if (marker == scan) scanned = true;
    if (marker == end && !scanned) return false;
    if (!scanned && marker != 0 && marker != start && last > at + 1) at = last - 1;
  }
  return false;
}

}  // namespace

DecodedPicture read_picture(const std::string& path, std::int64_t channels) {
  const std::string file = read_file(path);
  const auto* const bytes = reinterpret_cast<const stbi_uc*>(file.data());
  const auto size = static_cast<int>(std::min<std::size_t>(file.size(), 0x7fffffff));
  if (file.starts_with("\xFF") && has_too_long_codes(file))
    throw Error(path + ": is no whole JPEG picture: a Huffman table has more than 256 codes");
  int width = 0;
  int height = 0;
  int stored = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes, size, &width, &height, &stored, static_cast<int>(channels)), stbi_image_free);
  if (!pixels) throw Error(fmt::format("{}: is no whole PNG or JPEG picture: {}", path, stbi_failure_reason()));
  DecodedPicture picture{width, height, channels, {}};
  picture.bytes.assign(pixels.get(), pixels.get() + picture.width * picture.height * channels);
  return picture;
}

bool names_a_picture(const std::string& path) {
  std::string extension = std::filesystem::path(path).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".png" || extension == ".jpg" || extension == ".jpeg";
}

DecodedPicture read_scaled_picture(const std::string& path, std::int64_t channels, std::int64_t shorter, std::int64_t height,
                                   std::int64_t width) {
  DecodedPicture picture = read_picture(path, channels);
  const std::int64_t goal = std::max(shorter, std::min(height, width));
  const double scale = static_cast<double>(goal) / static_cast<double>(std::min(height, width)) *
                       std::max(static_cast<double>(width) / static_cast<double>(picture.width),
                                static_cast<double>(height) / static_cast<double>(picture.height));
  if (scale == 1) return picture;
  DecodedPicture scaled{std::max(width, std::lround(scale * static_cast<double>(picture.width))),
                        std::max(height, std::lround(scale * static_cast<double>(picture.height))),
                        picture.channels,
                        {}};
  if (std::max(scaled.width, scaled.height) > STBI_MAX_DIMENSIONS) {
    throw Error(fmt::format("{}: has {} x {} pixels, and scaled {} x {}, expected at most {} a side", path, picture.width, picture.height,
                            scaled.width, scaled.height, STBI_MAX_DIMENSIONS));
  }
  scaled.bytes.resize(static_cast<std::size_t>(scaled.width * scaled.height * scaled.channels));
  stbir_resize_uint8(picture.bytes.data(), static_cast<int>(picture.width), static_cast<int>(picture.height), 0, scaled.bytes.data(),
                     static_cast<int>(scaled.width), static_cast<int>(scaled.height), 0, static_cast<int>(picture.channels));
  return scaled;
}

void cut_window(const DecodedPicture& picture, const Window* window, std::int64_t height, std::int64_t width, std::uint8_t* to) {
  const auto place = [&](std::int64_t spare, std::uint64_t Window::*random) {
    if (window == nullptr) return spare / 2;
    return static_cast<std::int64_t>(window->*random % static_cast<std::uint64_t>(spare + 1));
  };
  const std::int64_t top = place(picture.height - height, &Window::down);
  const std::int64_t left = place(picture.width - width, &Window::right);
  for (std::int64_t c = 0; c < picture.channels; ++c) {
    for (std::int64_t y = 0; y < height; ++y) {
      const std::uint8_t* row = picture.bytes.data() + ((top + y) * picture.width + left) * picture.channels + c;
      for (std::int64_t x = 0; x < width; ++x) *to++ = row[x * picture.channels];
    }
  }
}

}  // namespace stair::runtime
