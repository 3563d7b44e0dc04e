// Makes data to segment of Fashion-MNIST: each picture lies at a random place on a background of stripes and noise, and the class of a
// pixel is 0 on the background, else that of the picture's label plus 1. Pictures u8 [N,1,40,40] and classes u8 [N,40,40], as NumPy arrays:
// OUT/train.npy, OUT/train_classes.npy, OUT/test.npy, OUT/test_classes.npy. A function of its input alone.
//   segmentation_data FASHION_MNIST_FOLDER OUT

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "ir/random.h"
#include "runtime/dataset.h"
#include "runtime/npy.h"
#include "runtime/tensor.h"

using namespace stair;

namespace {

constexpr std::int64_t side = 28;
constexpr std::int64_t canvas = 40;
constexpr std::uint64_t seed = 17;
constexpr std::uint8_t least_bright = 40;  // of a pixel that belongs to the garment

// Uniform in [0, below), for a picture.
std::int64_t draw(std::uint64_t stream, std::int64_t picture, std::int64_t below, std::int64_t number = 0) {
  return static_cast<std::int64_t>(ir::random_bits(seed, stream, static_cast<std::uint64_t>(picture), static_cast<std::uint64_t>(number)) %
                                   static_cast<std::uint64_t>(below));
}

void make(const std::string& folder, const std::string& files, const std::string& out) {
  const runtime::Dataset all = runtime::load_dataset(
      "idx", {{{"images", {folder + "/" + files + "-images-idx3-ubyte"}}, {"labels", {folder + "/" + files + "-labels-idx1-ubyte"}}}});
  const runtime::Tensor pictures({ir::DType::u8, {all.count(), 1, canvas, canvas}});
  const runtime::Tensor classes({ir::DType::u8, {all.count(), canvas, canvas}});
  std::vector<std::byte> room(all.inputs.front().bytes());
  for (std::int64_t n = 0; n < all.count(); ++n) {
    std::uint8_t* const picture = pictures.as<std::uint8_t>() + n * canvas * canvas;
    std::uint8_t* const of_pixel = classes.as<std::uint8_t>() + n * canvas * canvas;
    const std::int64_t width = 3 + draw(1, n, 6);
    const std::int64_t bright = draw(2, n, 120);
    const bool upright = draw(3, n, 2) == 1;
    for (std::int64_t i = 0; i < canvas * canvas; ++i) {
      const std::int64_t along = upright ? i % canvas : i / canvas;
      picture[i] = static_cast<std::uint8_t>((along / width % 2 == 0 ? bright : 0) + draw(4, n, 60, i));
    }
    const std::int64_t top = draw(5, n, canvas - side + 1);
    const std::int64_t left = draw(6, n, canvas - side + 1);
    const std::byte* const garment = all.inputs.front().read(n, room.data());
    for (std::int64_t i = 0; i < side * side; ++i) {
      const auto pixel = static_cast<std::uint8_t>(garment[i]);
      if (pixel < least_bright) continue;
      const std::int64_t at = (top + i / side) * canvas + left + i % side;
      picture[at] = pixel;
      of_pixel[at] = static_cast<std::uint8_t>(1 + all.labels.front().as<std::int32_t>()[n]);
    }
  }
  runtime::write_npy(pictures.view(), out + ".npy");
  runtime::write_npy(classes.view(), out + "_classes.npy");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "segmentation_data: expected FASHION_MNIST_FOLDER OUT\n");
    return 2;
  }
  try {
    make(arguments[1], "train", std::string(arguments[2]) + "/train");
    make(arguments[1], "t10k", std::string(arguments[2]) + "/test");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "segmentation_data: %s\n", error.what());
    return 2;
  }
  return 0;
}
