// Examples that don't lie in memory are those that do: the same bytes, ranges, checksums and batches.

#include "runtime/examples.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "ir/random.h"
#include "runtime/batches.h"
#include "runtime/file.h"
#include "runtime/prefetch.h"
#include "tests/runtime/support.h"
#include "tests/support/data_files.h"
#include "tests/support/picture_files.h"

using namespace stair;
using runtime::Batches;
using runtime::Dataset;
using tests::error_of;

namespace {

const ir::Attributes from_disk{{"in_memory", false}};

struct ArrayFiles {
  tests::TemporaryFolder folder;
  std::string images = folder / "images.npy", labels = folder / "labels.npy";

  // `count` examples of 2 x 6 x 5.
  ArrayFiles(const std::string& descr, const std::string& elements, int count) {
    tests::put(images, tests::npy_file(descr, std::to_string(count) + ", 2, 6, 5", elements));
    put_labels(count);
  }
  void put_labels(int count) const {
    tests::put(labels, tests::npy_file("|u1", std::to_string(count) + ",", std::string(static_cast<std::size_t>(count), '\1')));
  }
  Dataset load(const ir::Attributes& settings = {}) const {
    return runtime::load_dataset("npy", {{{"images", {images}}, {"labels", {labels}}}, settings});
  }
};

// Pictures of several sizes, and a folder of them.
struct PictureFiles {
  tests::TemporaryFolder folder;

  explicit PictureFiles(int count, int height = 9, int width = 12) {
    for (int i = 0; i < count; ++i) {
      const int h = height + i % 3;
      const int w = width + i % 5;
      const std::string random = tests::random_bytes(static_cast<std::size_t>(h * w * 3), 4, static_cast<std::uint64_t>(i));
      const std::string path = folder / (i % 2 == 0 ? "a/" : "b/") + std::to_string(10 + i) + ".png";
      std::filesystem::create_directories(std::filesystem::path(path).parent_path());
      tests::put(path, tests::png_file(h, w, 3, {random.begin(), random.end()}));
    }
  }
  Dataset load(const ir::Attributes& settings, bool windows = false) const {
    return runtime::load_dataset("folder", {{{"folder", {folder.path()}}}, settings, {{"x", {3, 6, 8}}}, windows});
  }
};

void check_same_examples(const Dataset& found, const Dataset& expected, const ir::Attributes& augmentation) {
  REQUIRE(found.inputs.front().type() == expected.inputs.front().type());
  CHECK(tests::same_bytes(tests::all_examples(found.inputs.front()).view(), tests::all_examples(expected.inputs.front()).view()));
  CHECK(found.inputs.front().checksum() == expected.inputs.front().checksum());
  const std::vector<std::int64_t> some{3, 0, 7, 3};
  CHECK(found.inputs.front().chosen(some).checksum() == expected.inputs.front().chosen(some).checksum());
  Batches from_files(found, 4, {{{0.5}, {0.25}}}, augmentation, 6);
  Batches from_memory(expected, 4, {{{0.5}, {0.25}}}, augmentation, 6);
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    runtime::Prefetch ahead(from_files, 2, [&](std::int64_t n) { return runtime::Prefetch::Place{epoch, n}; });
    for (std::int64_t n = 0; n < 2; ++n) {
      from_memory.load_training(epoch, n);
      CHECK(tests::same_bytes(ahead.next().inputs.front().view(), from_memory.inputs().front()));
    }
  }
  from_files.load_evaluation(1);
  from_memory.load_evaluation(1);
  CHECK(tests::same_bytes(from_files.inputs().front(), from_memory.inputs().front()));
}

}  // namespace

TEST_CASE("arrays that stay in their file are those that are read whole") {
  for (const bool floats : {false, true}) {
    const ArrayFiles files(floats ? "<f4" : "|u1", floats ? tests::random_floats(9 * 60, 3, 1) : tests::random_bytes(9 * 60, 3, 1), 9);
    const Dataset expected = files.load();
    const Dataset found = files.load(from_disk);
    check_same_examples(found, expected, {{"flip", true}, {"crop_padding", std::int64_t{1}}});
    if (!floats) continue;
    for (std::size_t c = 0; c < 2; ++c) {
      CHECK(found.inputs.front().extents().channels[c].low == expected.inputs.front().extents().channels[c].low);
      CHECK(found.inputs.front().extents().channels[c].high == expected.inputs.front().extents().channels[c].high);
    }
  }
}

TEST_CASE("arrays larger than a quarter of the memory are read from their file") {
  constexpr std::uint64_t count = 4096;
  const std::uint64_t row = runtime::largest_file() / count / 1024 + 1;
  const std::uint64_t bytes = 1024 * row;
  const ArrayFiles files("|u1", "", count);
  std::string header = tests::npy_file("|u1", "4096, 1024, " + std::to_string(row), "");
  tests::put(files.images, header);
  std::filesystem::resize_file(files.images, header.size() + count * bytes - 1);  // sparse: zeros, but for the last byte
  std::FILE* file = std::fopen(files.images.c_str(), "ab");
  REQUIRE(file != nullptr);
  CHECK(std::fputc(7, file) == 7);
  std::fclose(file);
  const Dataset dataset = files.load();
  REQUIRE(dataset.count() == std::int64_t{count});
  std::vector<std::byte> room(bytes);
  CHECK(dataset.inputs.front().read(count / 2, room.data())[bytes - 1] == std::byte{0});
  CHECK(dataset.inputs.front().read(count - 1, room.data())[bytes - 1] == std::byte{7});
  CHECK(dataset.inputs.front().read(count - 1, room.data())[0] == std::byte{0});
}

TEST_CASE("arrays that stay in their file are checked as those that are read whole") {
  ArrayFiles files("<f4", tests::random_floats(9 * 60, 3, 1), 9);
  const std::string whole = tests::get(files.images);
  for (const auto& [at, value] : {std::pair<std::size_t, float>{4 * 60 + 17, INFINITY}, {8 * 60 + 59, NAN}, {0, NAN}}) {
    std::string changed = whole;
    std::memcpy(changed.data() + whole.size() - std::size_t{9 * 60 * 4} + at * 4, &value, 4);
    tests::put(files.images, changed);
    const std::string expected = error_of([&] { files.load(); });
    CHECK(expected.find(": image " + std::to_string(at / 60) + ", element " + std::to_string(at % 60) + " is ") != std::string::npos);
    CHECK(error_of([&] { files.load(from_disk); }) == expected);
  }
  for (const std::string& wrong :
       {whole + "x", whole.substr(0, whole.size() - 1), whole.substr(0, 40), std::string(),
        tests::npy_file("<f8", "2, 1", std::string(16, 'x')), tests::npy_file("|u1", "2,", "ab"), tests::npy_file("<i2", "1, 1", "ab")}) {
    tests::put(files.images, wrong);
    CHECK(error_of([&] { files.load(from_disk); }) == error_of([&] { files.load(); }));
  }
  tests::put(files.images, tests::gzipped(whole));
  CHECK(error_of([&] { files.load(from_disk); }) == files.images + ": is gzipped, expected a file that isn't where 'in_memory' is false");

  // Shorter than it was when it was opened: an error, with the batch that needs what is gone.
  tests::put(files.images, whole);
  const Dataset dataset = files.load(from_disk);
  std::filesystem::resize_file(files.images, whole.size() - 1);
  Batches batches(dataset, 3, {}, {}, 1);
  batches.load_evaluation(1);
  CHECK(error_of([&] { batches.load_evaluation(2); }) == files.images + ": ends at byte " + std::to_string(whole.size() - 1) + ", it had " +
                                                             std::to_string(whole.size()) + " when it was opened");
}

TEST_CASE("pictures that are decoded each time are those that were decoded once") {
  const PictureFiles files(9);
  const ir::Attributes augmentation{{"flip", true}};
  check_same_examples(files.load(from_disk), files.load({}), augmentation);
  // With windows of larger pictures at random places.
  const ir::Attributes cropping{{"flip", true}, {"random_crop", true}};
  for (const std::int64_t shorter : {std::int64_t{0}, std::int64_t{10}})
    check_same_examples(files.load({{"in_memory", false}, {"shorter_side", shorter}}, true), files.load({{"shorter_side", shorter}}, true),
                        cropping);
  // A picture that has become another one, or is gone.
  const Dataset dataset = files.load(from_disk);
  std::filesystem::copy_file(files.folder / "b/11.png", files.folder / "a/10.png", std::filesystem::copy_options::overwrite_existing);
  Batches batches(dataset, 3, {}, {}, 1);
  CHECK(error_of([&] { batches.load_evaluation(0); }) ==
        files.folder / "a/10.png" + ": holds another picture than when the data were loaded, expected files that stay as they are");
  std::filesystem::remove(files.folder / "a/10.png");
  CHECK(error_of([&] { batches.load_evaluation(0); }) == files.folder / "a/10.png" + ": can't be opened: No such file or directory");
}

// By definition, from the scaled picture, which is the file's own where its shorter side has the asked size.
TEST_CASE("random_crop takes a window at a random place in training, the middle in evaluation") {
  const tests::TemporaryFolder folder;
  constexpr int count = 12;
  constexpr int height = 9;
  constexpr int width = 13;
  std::vector<std::string> pixels;
  for (const char* name : {"a", "b"}) std::filesystem::create_directories(folder / name);
  for (int i = 0; i < count; ++i) {
    pixels.push_back(tests::random_bytes(height * width * 3, 4, static_cast<std::uint64_t>(i)));
    tests::put(folder / (i < 6 ? "a/" : "b/") + std::to_string(10 + i) + ".png",
               tests::png_file(height, width, 3, {pixels.back().begin(), pixels.back().end()}));
  }
  const auto load = [&](std::int64_t shorter, bool windows) {
    return runtime::load_dataset("folder", {{{"folder", {folder.path()}}}, {{"shorter_side", shorter}}, {{"x", {3, 6, 8}}}, windows});
  };
  const auto window = [&](std::int64_t image, std::int64_t top, std::int64_t left) {
    std::vector<float> values;
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t h = 0; h < 6; ++h) {
        for (std::int64_t w = 0; w < 8; ++w) {
          const auto at = static_cast<std::size_t>(((top + h) * width + left + w) * 3 + c);
          values.push_back(static_cast<float>(static_cast<unsigned char>(pixels[static_cast<std::size_t>(image)][at])) / 255.0F);
        }
      }
    }
    return values;
  };
  Dataset dataset = load(9, true);
  CHECK(dataset.shorter_side == 9);
  for (std::int64_t i = 0; i < count; ++i) dataset.labels.front().as<std::int32_t>()[i] = static_cast<std::int32_t>(i);
  Batches batches(dataset, 4, {}, {{"random_crop", true}}, 17);
  const auto image_of = [&](std::int64_t i) {
    const float* first = batches.inputs().front().as<float>() + i * 144;
    return std::vector<float>(first, first + 144);
  };
  std::vector<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (std::int64_t epoch = 0; epoch < 8; ++epoch) {
    for (std::int64_t b = 0; b < 3; ++b) {
      batches.load_training(epoch, b);
      for (std::int64_t i = 0; i < 4; ++i) {
        const auto image = static_cast<std::uint64_t>(batches.loaded().labels.front().view().as<std::int32_t>()[i]);
        const std::uint64_t top = ir::random_bits(17, 107, static_cast<std::uint64_t>(epoch), image) % 4;
        const std::uint64_t left = ir::random_bits(17, 108, static_cast<std::uint64_t>(epoch), image) % 6;
        CHECK(image_of(i) == window(static_cast<std::int64_t>(image), static_cast<std::int64_t>(top), static_cast<std::int64_t>(left)));
        seen.emplace_back(top, left);
      }
    }
  }
  std::sort(seen.begin(), seen.end());
  CHECK(std::unique(seen.begin(), seen.end()) - seen.begin() == 24);
  batches.load_evaluation(1);
  for (std::int64_t i = 0; i < 4; ++i) CHECK(image_of(i) == window(4 + i, 1, 2));
  Batches calibrating(dataset, 4, {}, {}, 17);
  calibrating.load_training(0, 0);
  for (std::int64_t i = 0; i < 4; ++i) {
    const float* first = calibrating.inputs().front().as<float>() + i * 144;
    CHECK(std::vector<float>(first, first + 144) == window(calibrating.loaded().labels.front().as<std::int32_t>()[i], 1, 2));
  }
  // Where there is nothing to choose the setting would have no effect.
  const Dataset middles = load(9, false);
  CHECK(error_of([&] {
          Batches(middles, 4, {}, {{"random_crop", true}}, 17);
        }) == "augmentation 'random_crop': no picture of " + folder.path().string() +
                  " is larger than the model's input, expected a folder of larger ones, or its 'shorter_side'");
}

TEST_CASE("a picture whose longer side would become endless is refused") {
  const tests::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "a");
  std::filesystem::create_directories(folder / "b");
  tests::put(folder / "a/1.png", tests::png_file(1, 4096, 1, std::vector<std::uint8_t>(4096, 7)));
  tests::put(folder / "b/1.png", tests::png_file(8, 8, 1, std::vector<std::uint8_t>(64, 7)));
  CHECK(error_of([&] {
          runtime::load_dataset("folder", {{{"folder", {folder.path()}}}, {}, {{"x", {1, 8, 8}}}});
        }) == folder / "a/1.png: has 4096 x 1 pixels, and scaled 32768 x 8, expected at most 16384 a side");
}
