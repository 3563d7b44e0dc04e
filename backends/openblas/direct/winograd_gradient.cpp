#include "backends/openblas/direct/winograd_gradient.h"

#include <algorithm>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

// G^T u G of the elements u, `stride` apart.
void transform_back(const float* u, std::int64_t stride, float* to) {
  float rows[3][4];
  for (int j = 0; j < 4; ++j) {
    const auto element = [&](int i) { return u[(4 * i + j) * stride]; };
    const float sum = 0.5F * (element(1) + element(2));
    rows[0][j] = element(0) + sum;
    rows[1][j] = 0.5F * (element(1) - element(2));
    rows[2][j] = sum + element(3);
  }
  for (int i = 0; i < 3; ++i) {
    const float sum = 0.5F * (rows[i][1] + rows[i][2]);
    to[3 * i] = rows[i][0] + sum;
    to[3 * i + 1] = 0.5F * (rows[i][1] - rows[i][2]);
    to[3 * i + 2] = sum + rows[i][3];
  }
}

}  // namespace

WinogradWeightGradient::WinogradWeightGradient(const Window& window)
    : window_(window), tiles_(window), channels_(piece_count(window.group_out(), loops().lanes) * loops().lanes) {
  for (std::int64_t c = 0; c < window.group_in(); ++c) offsets_.push_back(static_cast<std::int32_t>(c * tiles_.positions));
}

std::int64_t WinogradWeightGradient::gradient_floats() const {
  return window_.groups * winograd_elements * window_.group_in() * channels_;
}

// A line between the elements keeps them out of the same sets of the cache.
std::int64_t WinogradWeightGradient::input_stride() const {
  return window_.group_in() * tiles_.positions + line_floats;
}
std::int64_t WinogradWeightGradient::sum_stride() const {
  return tiles_.positions * channels_ + line_floats;
}
std::int64_t WinogradWeightGradient::transposed_floats() const {
  return std::min(2 * tiles_.rows, window_.out_height) * window_.out_width * channels_;
}
std::int64_t WinogradWeightGradient::thread_floats() const {
  const std::int64_t floats = tiles_.pixel_floats() + transposed_floats() + winograd_elements * (input_stride() + sum_stride());
  return line_up(floats);
}

void WinogradWeightGradient::transform_image(const Item& item, const float* dy, const float* x, std::int64_t image,
                                             const Memory& memory) const {
  const Window& g = window_;
  const std::int64_t n = item.first_image + image;
  const std::int64_t tile = image * item.rows * tiles_.across;
  WinogradInput input{x + (n * g.in_channels + item.group * g.group_in()) * g.in_height * g.in_width,
                      g.in_height,
                      g.in_width,
                      2 * item.first_row - g.top,
                      -g.left,
                      item.rows,
                      tiles_.across,
                      memory.pixels,
                      memory.inputs + tile,
                      input_stride()};
  for (std::int64_t c = 0; c < g.group_in(); ++c, input.image += g.in_height * g.in_width, input.to += tiles_.positions) {
    loops().winograd_input(input);
  }
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t height = std::min(2 * item.rows, g.out_height - 2 * item.first_row);
  loops().transpose(dy + (n * g.out_channels + item.group * g.group_out()) * plane + 2 * item.first_row * g.out_width, plane, g.group_out(),
                    height * g.out_width, memory.transposed, channels_);
  loops().winograd_gradient(
      {memory.transposed, height, g.out_width, channels_, item.rows, tiles_.across, memory.sums + tile * channels_, sum_stride()});
}

void WinogradWeightGradient::add_item(const Item& item, const float* dy, const float* x, const Memory& memory, float* gradient) const {
  const std::int64_t tiles = item.images * item.rows * tiles_.across;
  for (std::int64_t image = 0; image < item.images; ++image) transform_image(item, dy, x, image, memory);
  for (std::int64_t e = 0; e < winograd_elements; ++e) {
    float* sums = gradient + (item.group * winograd_elements + e) * window_.group_in() * channels_;
    loops().gradient(memory.inputs + e * input_stride(), offsets_.data(), window_.group_in(), 1, tiles, tiles,
                     memory.sums + e * sum_stride(), channels_, channels_, sums, channels_);
  }
}

void WinogradWeightGradient::add(const float* dy, const float* x, std::int64_t first, std::int64_t end, float* memory,
                                 float* gradient) const {
  Memory at{};
  at.pixels = memory;
  at.inputs = at.pixels + tiles_.pixel_floats();
  at.sums = at.inputs + winograd_elements * input_stride();
  at.transposed = at.sums + winograd_elements * sum_stride();
  // Channels that only fill up a vector.
  if (channels_ > window_.group_out()) std::fill_n(at.transposed, transposed_floats(), 0.0F);
  for (std::int64_t n = first; n < end; n += tiles_.images) {
    for (std::int64_t group = 0; group < window_.groups; ++group) {
      for (std::int64_t row = 0; row < tiles_.down; row += tiles_.rows) {
        add_item({group, n, std::min(tiles_.images, end - n), row, std::min(tiles_.rows, tiles_.down - row)}, dy, x, at, gradient);
      }
    }
  }
}

void WinogradWeightGradient::finish(const float* gradient, float* dw, int threads) const {
  const Window& g = window_;
  const std::int64_t element = g.group_in() * channels_;
  for_items(g.out_channels, threads, [&](std::int64_t o) {
    const float* from = gradient + o / g.group_out() * winograd_elements * element + o % g.group_out();
    for (std::int64_t c = 0; c < g.group_in(); ++c) transform_back(from + c * channels_, element, dw + (o * g.group_in() + c) * 9);
  });
}

}  // namespace stair::backends::openblas::direct
