#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "runtime/dataset.h"
#include "runtime/picture_file.h"
#include "tests/runtime/support.h"
#include "tests/support/picture_files.h"

using namespace stair;
using runtime::Dataset;
using tests::error_of;

namespace {

// Bytes [height, width, channels] by their position.
using Pixel = int (*)(int y, int x, int c);

std::vector<std::uint8_t> pixels(int height, int width, int channels, Pixel of) {
  std::vector<std::uint8_t> bytes;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) bytes.push_back(static_cast<std::uint8_t>(of(y, x, c)));
    }
  }
  return bytes;
}

void write_png(const std::string& path, int height, int width, int channels, Pixel of) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  tests::put(path, tests::png_file(height, width, channels, pixels(height, width, channels, of)));
}

int sloped(int y, int x, int c) {
  return 40 * y + 10 * x + 3 * c;
}
int grey(int y, int x, int) {
  return 40 * y + 10 * x;
}
int flat(int, int, int) {
  return 77;
}
int halves(int, int x, int) {
  return x < 8 ? 0 : 255;
}

Dataset load(const std::string& folder, const ir::Shape& example, const ir::Attributes& settings = {}) {
  return runtime::load_dataset("folder", {{{"folder", {folder}}}, settings, {{"x", example}}});
}

}  // namespace

TEST_CASE("a folder of pictures holds a class for each of its folders, in the order of their names") {
  const tests::TemporaryFolder folder;
  write_png(folder / "b/2.png", 3, 5, 3, sloped);
  write_png(folder / "b/1.PNG", 3, 5, 3, flat);
  write_png(folder / "a/x.png", 3, 5, 3, sloped);
  tests::put(folder / "b/.hidden", "no picture");
  tests::put(folder / "README", "beside the classes");
  const Dataset dataset = load(folder.path(), {3, 3, 5});
  CHECK(dataset.inputs.front().type() == ir::Type{ir::DType::u8, {3, 3, 3, 5}});
  CHECK(dataset.classes == std::vector<std::string>{"a", "b"});
  const std::vector<int> labels{0, 1, 1};
  for (std::size_t i = 0; i < labels.size(); ++i) CHECK(dataset.labels.front().as<std::int32_t>()[i] == labels[i]);
  const runtime::Tensor images = tests::all_examples(dataset.inputs.front());
  for (int i = 0; i < 45; ++i) {  // to the bit, channel by channel
    const int at = i / 5 % 3;
    CHECK(images.as<std::uint8_t>()[i] == sloped(at, i % 5, i / 15));
    CHECK(images.as<std::uint8_t>()[45 + i] == 77);
    CHECK(images.as<std::uint8_t>()[90 + i] == sloped(at, i % 5, i / 15));
  }
}

TEST_CASE("a model of one channel takes coloured pictures by their luminance, one of three takes grey ones") {
  const tests::TemporaryFolder folder;
  write_png(folder / "a/grey.png", 3, 5, 1, grey);
  write_png(folder / "b/alpha.png", 3, 5, 4, [](int y, int x, int c) { return c < 3 ? grey(y, x, 0) : 9; });
  for (const std::int64_t channels : {1, 3}) {
    const runtime::Tensor images = tests::all_examples(load(folder.path(), {channels, 3, 5}).inputs.front());
    for (std::int64_t i = 0; i < 2 * channels * 15; ++i)
      CHECK(images.as<std::uint8_t>()[i] == grey(static_cast<int>(i / 5 % 3), static_cast<int>(i % 5), 0));
  }
}

TEST_CASE("JPEG files are read, too") {
  const tests::TemporaryFolder folder;
  write_png(folder / "a/1.png", 16, 16, 3, flat);
  std::filesystem::create_directories(folder / "b");
  tests::put(folder / "b/1.jpeg", tests::jpeg_file(16, 16, 3, pixels(16, 16, 3, flat)));
  const runtime::Tensor images = tests::all_examples(load(folder.path(), {3, 16, 16}).inputs.front());
  for (std::int64_t i = 0; i < images.count(); ++i) CHECK(std::abs(images.as<std::uint8_t>()[i] - 77) <= 2);
}

TEST_CASE("a JPEG file with more Huffman codes than there can be is refused before it is decoded") {
  const tests::TemporaryFolder folder;
  const std::string whole = tests::jpeg_file(16, 16, 3, pixels(16, 16, 3, sloped));
  int tables = 0;
  for (std::size_t at = whole.find("\xFF\xC4"); at != std::string::npos; at = whole.find("\xFF\xC4", at + 1)) {
    std::string changed = whole;
    changed[at + 5] = '\xff';
    changed[at + 6] = '\x7f';
    for (const char* before : {"", "\xFF"}) {
      tests::put(folder / "1.jpg", before + changed);
      CHECK(error_of([&] { runtime::read_picture(folder / "1.jpg", 3); }) ==
            folder / "1.jpg: is no whole JPEG picture: a Huffman table has more than 256 codes");
    }
    ++tables;
  }
  CHECK(tables > 0);
}

TEST_CASE("a PNG file may begin its data with an empty chunk") {
  const tests::TemporaryFolder folder;
  std::string file = tests::png_file(3, 5, 3, pixels(3, 5, 3, sloped));
  const std::string empty("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12);
  file.insert(file.find("IDAT") - 4, empty);
  tests::put(folder / "1.png", file);
  CHECK(runtime::read_picture(folder / "1.png", 3).bytes == pixels(3, 5, 3, sloped));
}

TEST_CASE("pictures of other sizes are scaled with their proportions kept and cut to the middle") {
  const tests::TemporaryFolder folder;
  write_png(folder / "a/1.png", 4, 16, 1, halves);
  write_png(folder / "b/1.png", 32, 8, 1, flat);
  for (const std::int64_t shorter : {std::int64_t{0}, std::int64_t{4}, std::int64_t{8}}) {
    CAPTURE(shorter);
    const runtime::Tensor images = tests::all_examples(load(folder.path(), {1, 4, 4}, {{"shorter_side", shorter}}).inputs.front());
    const auto* bytes = images.as<std::uint8_t>();
    for (int i = 0; i < 16; ++i) {
      if (shorter < 8) CHECK(bytes[i] == (i % 4 < 2 ? 0 : 255));  // the 4 columns around the edge, as they were
      if (i % 4 == 0) CHECK(bytes[i] < 64);                       // scaled to 8 x 32: smooth at the edge
      if (i % 4 == 3) CHECK(bytes[i] > 191);
      CHECK(bytes[16 + i] == 77);
    }
  }
  CHECK(error_of([&] {
          load(folder.path(), {1, 4, 4}, {{"shorter_side", std::int64_t{3}}});
        }) == folder.path().string() + ": 'shorter_side' is 3, expected 0 or at least the 4 of the model's input [1,4,4]");
}

TEST_CASE("damaged pictures are named, or left out and counted where that is asked for") {
  const tests::TemporaryFolder folder;
  for (const char* name : {"a/1.png", "a/2.png", "b/1.png"}) write_png(folder / name, 8, 8, 3, sloped);
  const std::string whole = tests::get(folder / "a/2.png");
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, whole.size() / 2}) {
    CAPTURE(size);
    tests::put(folder / "a/2.png", whole.substr(0, size));
    CHECK(error_of([&] { load(folder.path(), {3, 8, 8}); }).starts_with(folder / "a/2.png: is no whole PNG or JPEG picture: "));
    const Dataset dataset = load(folder.path(), {3, 8, 8}, {{"skip_damaged", true}});
    CHECK(dataset.skipped == 1);
    REQUIRE(dataset.count() == 2);
    CHECK(dataset.labels.front().as<std::int32_t>()[0] == 0);
    CHECK(dataset.labels.front().as<std::int32_t>()[1] == 1);
    CHECK(tests::all_examples(dataset.inputs.front()).as<std::uint8_t>()[192 + 8] == sloped(1, 0, 0));
  }
  for (const char* name : {"a/1.png", "b/1.png"}) tests::put(folder / name, "");
  CHECK(error_of([&] {
          load(folder.path(), {3, 8, 8}, {{"skip_damaged", true}});
        }) == folder.path().string() + ": all of its pictures are damaged");
}

TEST_CASE("folders that hold no data set are refused") {
  const tests::TemporaryFolder folder;
  const std::string path = folder.path();
  const auto error = [&](const ir::Shape& example) { return error_of([&] { load(path, example); }); };
  CHECK(error_of([&] { load(path + "/none", {3, 8, 8}); }) == path + "/none: can't be listed: No such file or directory");
  CHECK(error({3, 8, 8}) == path + ": has 0 folders, expected one for each class: CLASS/PICTURE.png");
  write_png(folder / "a/1.png", 8, 8, 3, sloped);
  CHECK(error({3, 8, 8}) == path + ": has 1 folders, expected one for each class: CLASS/PICTURE.png");
  std::filesystem::create_directories(folder / "b");
  CHECK(error({3, 8, 8}) == folder / "b: has no pictures, expected .png, .jpg or .jpeg");
  tests::put(folder / "b/notes.txt", "x");
  CHECK(error({3, 8, 8}) == folder / "b/notes.txt: isn't named as a picture, expected .png, .jpg or .jpeg");
  CHECK(error({4, 8, 8}) == path + ": pictures of a folder have 1 or 3 channels, the model takes [4,8,8]");
  CHECK(error({64}) == path + ": pictures of a folder have 1 or 3 channels, the model takes [64]");
}
