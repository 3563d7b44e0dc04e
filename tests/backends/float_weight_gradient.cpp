#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/winograd_gradient.h"
#include "tests/backends/random_numbers.h"
#include "tests/support/seeds.h"

namespace stair::tests {
namespace {

using backends::Window;
using backends::openblas::AlignedFloats;
using backends::openblas::direct::WinogradWeightGradient;

// Odd sizes, several images an item, several items an image.
Window window_of_gradient(RandomNumbers& draw) {
  Window g{};
  g.images = draw.between(1, 9);
  g.groups = draw.between(1, 2);
  g.in_channels = g.groups * draw.between(1, 30);
  g.out_channels = g.groups * draw.between(1, 40);
  g.kernel_height = g.kernel_width = 3;
  g.top = draw.between(0, 2);
  g.left = draw.between(0, 2);
  g.in_height = draw.between(3, 20);
  g.in_width = draw.between(3, 33);
  g.out_height = g.in_height + g.top + draw.between(0, 2) - 2;
  g.out_width = g.in_width + g.left + draw.between(0, 2) - 2;
  return g;
}

// The definition, in double precision.
double gradient_of(const Window& g, const std::vector<float>& dy, const std::vector<float>& x, std::int64_t o, std::int64_t c,
                   std::int64_t kh, std::int64_t kw) {
  double sum = 0;
  for (std::int64_t n = 0; n < g.images; ++n) {
    for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
      for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
        const std::int64_t h = g.in_row(oh, kh);
        const std::int64_t w = g.in_column(ow, kw);
        if (!g.row_inside(h) || !g.column_inside(w)) continue;
        const std::int64_t plane = n * g.in_channels + o / g.group_out() * g.group_in() + c;
        sum += static_cast<double>(dy[static_cast<std::size_t>(((n * g.out_channels + o) * g.out_height + oh) * g.out_width + ow)]) *
               static_cast<double>(x[static_cast<std::size_t>((plane * g.in_height + h) * g.in_width + w)]);
      }
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("Winograd's gradient of a convolution by its weights is what the definition says") {
  for (const std::uint64_t seed : seeds(40)) {
    INFO(replay(seed));
    RandomNumbers draw(seed);
    const Window g = window_of_gradient(draw);
    const std::vector<float> dy = draw.floats(g.images * g.out_channels * g.out_height * g.out_width);
    const std::vector<float> x = draw.floats(g.images * g.in_channels * g.in_height * g.in_width);
    const WinogradWeightGradient gradient(g);
    const AlignedFloats sums(gradient.gradient_floats());
    const AlignedFloats memory(gradient.thread_floats());
    std::fill_n(sums.data(), gradient.gradient_floats(), 0.0F);
    std::fill_n(memory.data(), gradient.thread_floats(), std::nanf(""));
    const std::int64_t half = g.images / 2;
    gradient.add(dy.data(), x.data(), 0, half, memory.data(), sums.data());
    gradient.add(dy.data(), x.data(), half, g.images, memory.data(), sums.data());
    std::vector<float> dw(static_cast<std::size_t>(g.out_channels * g.group_in() * 9), std::nanf(""));
    gradient.finish(sums.data(), dw.data(), 2);
    double worst = 0;
    for (std::size_t i = 0; i < dw.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      const double exact = gradient_of(g, dy, x, at / 9 / g.group_in(), at / 9 % g.group_in(), at % 9 / 3, at % 3);
      const double error = std::abs(static_cast<double>(dw[i]) - exact);
      worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
    }
    CHECK(worst <= 1e-6 * static_cast<double>(g.images * g.out_height * g.out_width));
  }
}

}  // namespace stair::tests
