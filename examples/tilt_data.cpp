// Makes data with two inputs and two outputs of Fashion-MNIST: a camera that is held at some tilt sees garments that lie at some angle, and
// has a sensor for its tilt. What is asked for is the garment, which the picture tells, and its angle, which takes both: in the picture the
// garment is turned by angle - tilt. Pictures u8 [N,1,28,28]; sensor f32 [N,2]: the tilt in degrees, up to 20, with noise, and the sensor's
// supply in millivolts, about 3300, which tells nothing; garments u8 [N]; angles f32 [N,1] in radians, up to 0.52. As NumPy arrays:
// OUT/train_picture.npy, OUT/train_sensor.npy, OUT/train_garment.npy, OUT/train_angle.npy, and those of the test. A function of its input
// alone.
//   tilt_data FASHION_MNIST_FOLDER OUT

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numbers>
#include <string>
#include <vector>

#include "ir/random.h"
#include "runtime/dataset.h"
#include "runtime/npy.h"
#include "runtime/tensor.h"

using namespace stair;

namespace {

constexpr std::int64_t side = 28;
constexpr std::uint64_t seed = 23;
constexpr double most_angle = 30, most_tilt = 20;  // degrees

// Uniform in [-most, most), for an example.
double draw(std::uint64_t stream, std::int64_t example, double most) {
  return most * (2 * static_cast<double>(ir::random_uniform(seed, stream, 0, static_cast<std::uint64_t>(example))) - 1);
}

// A pixel of the picture; 0 outside.
double pixel(const std::byte* picture, std::int64_t row, std::int64_t column) {
  const bool inside = row >= 0 && row < side && column >= 0 && column < side;
  return inside ? static_cast<double>(std::to_integer<int>(picture[row * side + column])) : 0;
}

// Turned about its middle, bilinear between four pixels.
void turn(const std::byte* picture, double radians, std::uint8_t* to) {
  constexpr double middle = (side - 1) / 2.0;
  for (std::int64_t i = 0; i < side * side; ++i) {
    const double down = static_cast<double>(i / side) - middle;
    const double right = static_cast<double>(i % side) - middle;
    const double row = std::cos(radians) * down - std::sin(radians) * right + middle;
    const double column = std::sin(radians) * down + std::cos(radians) * right + middle;
    const auto above = static_cast<std::int64_t>(std::floor(row));
    const auto left = static_cast<std::int64_t>(std::floor(column));
    const double below = row - static_cast<double>(above);
    const double beside = column - static_cast<double>(left);
    const double upper = (1 - beside) * pixel(picture, above, left) + beside * pixel(picture, above, left + 1);
    const double lower = (1 - beside) * pixel(picture, above + 1, left) + beside * pixel(picture, above + 1, left + 1);
    to[i] = static_cast<std::uint8_t>(std::clamp(std::lround((1 - below) * upper + below * lower), 0L, 255L));
  }
}

void make(const std::string& folder, const std::string& files, const std::string& out, std::uint64_t part) {
  const runtime::Dataset all = runtime::load_dataset(
      "idx", {{{"images", {folder + "/" + files + "-images-idx3-ubyte"}}, {"labels", {folder + "/" + files + "-labels-idx1-ubyte"}}}});
  const runtime::Tensor pictures({ir::DType::u8, {all.count(), 1, side, side}});
  const runtime::Tensor sensor({ir::DType::f32, {all.count(), 2}});
  const runtime::Tensor garments({ir::DType::u8, {all.count()}});
  const runtime::Tensor angles({ir::DType::f32, {all.count(), 1}});
  constexpr double degree = std::numbers::pi / 180;
  std::vector<std::byte> room(all.inputs.front().bytes());
  for (std::int64_t n = 0; n < all.count(); ++n) {
    const double angle = draw(part, n, most_angle);
    const double tilt = draw(part + 1, n, most_tilt);
    turn(all.inputs.front().read(n, room.data()), (angle - tilt) * degree, pictures.as<std::uint8_t>() + n * side * side);
    sensor.as<float>()[2 * n] = static_cast<float>(tilt + draw(part + 2, n, 0.5));
    sensor.as<float>()[2 * n + 1] = static_cast<float>(3300 + draw(part + 3, n, 60));
    garments.as<std::uint8_t>()[n] = static_cast<std::uint8_t>(all.labels.front().as<std::int32_t>()[n]);
    angles.as<float>()[n] = static_cast<float>(angle * degree);
  }
  runtime::write_npy(pictures.view(), out + "_picture.npy");
  runtime::write_npy(sensor.view(), out + "_sensor.npy");
  runtime::write_npy(garments.view(), out + "_garment.npy");
  runtime::write_npy(angles.view(), out + "_angle.npy");
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "tilt_data: expected FASHION_MNIST_FOLDER OUT\n");
    return 2;
  }
  try {
    make(arguments[1], "train", std::string(arguments[2]) + "/train", 1);
    make(arguments[1], "t10k", std::string(arguments[2]) + "/test", 11);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tilt_data: %s\n", error.what());
    return 2;
  }
  return 0;
}
