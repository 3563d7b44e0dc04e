// Writes some of Fashion-MNIST as folders of PNG files, OUT/train/CLASS/N.png and OUT/test/CLASS/N.png, and the same pictures as IDX files,
// OUT/train-images, OUT/train-labels, OUT/test-images, OUT/test-labels: tests/bench/folder.sh trains on both.
//   bench_folder_data FASHION_MNIST_FOLDER OUT TRAIN_PICTURES TEST_PICTURES

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/file.h"
#include "tests/support/picture_files.h"

using namespace stair;

namespace {

std::string idx_header(std::initializer_list<std::int64_t> shape) {
  std::string header{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const std::int64_t dim : shape) {
    for (int bits = 24; bits >= 0; bits -= 8) header += static_cast<char>(dim >> bits & 0xff);
  }
  return header;
}

void make(const std::string& folder, const std::string& files, const std::string& out, std::int64_t count) {
  const runtime::Dataset all = runtime::load_dataset(
      "idx", {{{"images", {folder + "/" + files + "-images-idx3-ubyte"}}, {"labels", {folder + "/" + files + "-labels-idx1-ubyte"}}}});
  if (count < 1 || count > all.count()) throw Error(files + ": has " + std::to_string(all.count()) + " pictures");
  const ir::Shape& shape = all.inputs.front().type().shape;
  std::string images = idx_header({count, shape[2], shape[3]});
  std::string labels = idx_header({count});
  std::vector<std::byte> room(all.inputs.front().bytes());
  for (std::int64_t n = 0; n < count; ++n) {
    const auto* const pixels = reinterpret_cast<const char*>(all.inputs.front().read(n, room.data()));
    const std::int32_t label = all.labels.front().as<std::int32_t>()[n];
    images.append(pixels, room.size());
    labels += static_cast<char>(label);
    const std::string of_class = out + "/" + std::to_string(label);
    std::filesystem::create_directories(of_class);
    runtime::write_file(of_class + "/" + std::to_string(n) + ".png",
                        tests::png_file(static_cast<int>(shape[2]), static_cast<int>(shape[3]), 1, {pixels, pixels + room.size()}));
  }
  runtime::write_file(out + "-images", images);
  runtime::write_file(out + "-labels", labels);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) {
    std::fprintf(stderr, "bench_folder_data FASHION_MNIST_FOLDER OUT TRAIN_PICTURES TEST_PICTURES\n");
    return 2;
  }
  try {
    const std::string out = arguments[2];
    make(arguments[1], "train", out + "/train", std::atoll(arguments[3]));
    make(arguments[1], "t10k", out + "/test", std::atoll(arguments[4]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
