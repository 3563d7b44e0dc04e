#include "backends/reference/convolution.h"

#include <algorithm>
#include <vector>

#include "backends/multiversion.h"
#include "backends/parallel_for.h"

namespace stair::backends::reference {
namespace {

// sums[i] += x[i] * weight: a whole image at once where the stride is 1.
STAIR_MULTIVERSION void add_product(const float* x, float weight, float* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i] * weight;
}
STAIR_MULTIVERSION void add_product(const double* x, double weight, double* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i] * weight;
}
STAIR_MULTIVERSION void add_product(const std::int32_t* x, std::int32_t weight, std::int32_t* sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i] * weight;
}

// An image with the zeros of the padding around it, each element less the offset. Its rows are as long as those of `sums`.
template <class Acc>
struct PaddedImage {
  explicit PaddedImage(const Window& g)
      : height(std::max(g.in_height + g.top, (g.out_height - 1) * g.stride_h + (g.kernel_height - 1) * g.dilation_h + 1)),
        width(std::max(g.in_width + g.left, (g.out_width - 1) * g.stride_w + (g.kernel_width - 1) * g.dilation_w + 1)),
        elements(static_cast<std::size_t>(g.in_channels * height * width), Acc{0}) {}

  template <class X>
  void fill(const Window& g, const X* x, Acc offset) {
    for (std::int64_t row = 0; row < g.in_channels * g.in_height; ++row) {
      Acc* out = elements.data() + (row / g.in_height * height + row % g.in_height + g.top) * width + g.left;
      for (std::int64_t w = 0; w < g.in_width; ++w) out[w] = static_cast<Acc>(x[row * g.in_width + w]) - offset;
    }
  }

  std::int64_t height, width;
  std::vector<Acc> elements;
};

// Output channel o of an image: the sums over c, kh, kw, in this order.
template <class W, class Acc>
void convolve_plane(const Window& g, const PaddedImage<Acc>& image, const W* w, std::int64_t o, std::vector<Acc>& sums, Acc* y) {
  const bool neighbours = g.stride_h == 1 && g.stride_w == 1;
  const std::int64_t row_length = neighbours ? image.width : g.out_width;
  const std::int64_t count = (g.out_height - 1) * row_length + g.out_width;
  std::fill(sums.begin(), sums.end(), Acc{0});
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    const Acc* channel = image.elements.data() + (o / g.group_out() * g.group_in() + c) * image.height * image.width;
    for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
        const auto weight = static_cast<Acc>(w[((o * g.group_in() + c) * g.kernel_height + kh) * g.kernel_width + kw]);
        const Acc* x = channel + kh * g.dilation_h * image.width + kw * g.dilation_w;
        if (neighbours) {
          add_product(x, weight, sums.data(), count);
          continue;
        }
        for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
          for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
            sums[static_cast<std::size_t>(oh * row_length + ow)] += x[oh * g.stride_h * image.width + ow * g.stride_w] * weight;
          }
        }
      }
    }
  }
  for (std::int64_t oh = 0; oh < g.out_height; ++oh) std::copy_n(sums.data() + oh * row_length, g.out_width, y + oh * g.out_width);
}

template <class X, class W, class Acc>
void convolve_images(const Window& g, const X* x, Acc offset, const W* w, Acc* y, int threads) {
  parallel_for(g.images, threads, [&](std::int64_t n, int) {
    PaddedImage<Acc> image(g);
    std::vector<Acc> sums(static_cast<std::size_t>(g.out_height * std::max(image.width, g.out_width)));
    image.fill(g, x + n * g.in_channels * g.in_height * g.in_width, offset);
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      convolve_plane(g, image, w, o, sums, y + (n * g.out_channels + o) * g.out_height * g.out_width);
    }
  });
}

}  // namespace

void convolve(const Window& window, const float* x, float offset, const float* w, float* y, int threads) {
  convolve_images(window, x, offset, w, y, threads);
}
void convolve(const Window& window, const double* x, double offset, const double* w, double* y, int threads) {
  convolve_images(window, x, offset, w, y, threads);
}
void convolve(const Window& window, const std::uint8_t* x, std::int32_t offset, const std::int8_t* w, std::int32_t* y, int threads) {
  convolve_images(window, x, offset, w, y, threads);
}
void convolve(const Window& window, const std::int8_t* x, std::int32_t offset, const std::int8_t* w, std::int32_t* y, int threads) {
  convolve_images(window, x, offset, w, y, threads);
}

}  // namespace stair::backends::reference
