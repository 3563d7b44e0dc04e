#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/channels.h"
#include "backends/openblas/direct/convolution.h"
#include "backends/openblas/direct/depthwise.h"
#include "backends/openblas/direct/winograd.h"
#include "tests/backends/random_numbers.h"
#include "tests/support/seeds.h"

namespace stair::tests {
namespace {

using backends::Window;
using backends::openblas::AlignedFloats;
namespace direct = backends::openblas::direct;

// What lies around the kernel: padding, input and output sizes.
void draw_sizes(RandomNumbers& draw, Window& g, std::int64_t most_height, std::int64_t most_width, std::int64_t most_padding) {
  g.top = draw.between(0, most_padding);
  g.left = draw.between(0, most_padding);
  const std::int64_t reach_h = (g.kernel_height - 1) * g.dilation_h;
  const std::int64_t reach_w = (g.kernel_width - 1) * g.dilation_w;
  g.in_height = std::max<std::int64_t>(draw.between(1, most_height), reach_h + 1);
  g.in_width = std::max<std::int64_t>(draw.between(1, most_width), reach_w + 1);
  g.out_height = (g.in_height + g.top + draw.between(0, most_padding) - reach_h - 1) / g.stride_h + 1;
  g.out_width = (g.in_width + g.left + draw.between(0, most_padding) - reach_w - 1) / g.stride_w + 1;
}

// One in three depthwise 3x3, one in three 1x1 that may be read in place.
Window random_window(RandomNumbers& draw) {
  Window g{};
  const std::int64_t kind = draw.between(0, 2);
  g.images = draw.between(1, 3);
  g.groups = kind == 0 ? draw.between(1, 20) : draw.between(1, 2);
  g.in_channels = g.groups * (kind == 0 ? 1 : draw.between(1, 30));
  g.out_channels = g.groups * (kind == 0 ? 1 : draw.between(1, 150));
  g.kernel_height = kind == 0 ? 3 : (kind == 1 ? 1 : draw.between(1, 4));
  g.kernel_width = kind == 0 ? 3 : (kind == 1 ? 1 : draw.between(1, 4));
  g.stride_h = kind == 1 ? 1 : draw.between(1, 2);
  g.stride_w = kind == 0 ? g.stride_h : (kind == 1 ? 1 : draw.between(1, 3));
  g.dilation_h = kind == 2 ? draw.between(1, 2) : 1;
  g.dilation_w = kind == 2 ? draw.between(1, 2) : 1;
  draw_sizes(draw, g, 24, 50, kind == 1 ? 0 : 2);
  return g;
}

struct Operands {
  std::vector<float> x, w, bias, mean, factor, beta, other;
  direct::Finish finish;

  Operands(const Window& g, RandomNumbers& draw)
      : x(draw.floats(g.images * g.in_channels * g.in_height * g.in_width)),
        w(draw.floats(g.out_channels * g.group_in() * g.kernel_height * g.kernel_width)),
        bias(draw.floats(g.out_channels)),
        mean(draw.floats(g.out_channels)),
        factor(draw.floats(g.out_channels)),
        beta(draw.floats(g.out_channels)),
        other(draw.floats(results(g))) {
    if (draw.between(0, 1) == 1) finish.bias = bias.data();
    if (draw.between(0, 1) == 1) {
      finish.mean = mean.data();
      finish.factor = factor.data();
      finish.beta = beta.data();
    }
    if (draw.between(0, 1) == 1) finish.other = other.data();
    finish.clamps = draw.between(0, 1) == 1;
    finish.high = 1;
  }
  static std::int64_t results(const Window& g) { return g.images * g.out_channels * g.out_height * g.out_width; }
};

// The definition, in double precision.
double expected(const Window& g, const Operands& a, std::int64_t n, std::int64_t o, std::int64_t oh, std::int64_t ow) {
  const std::int64_t group = o / g.group_out();
  double y = 0;
  for (std::int64_t c = 0; c < g.group_in(); ++c) {
    for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
      for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
        const std::int64_t h = g.in_row(oh, kh);
        const std::int64_t w = g.in_column(ow, kw);
        if (!g.row_inside(h) || !g.column_inside(w)) continue;
        const std::int64_t plane = n * g.in_channels + group * g.group_in() + c;
        y += static_cast<double>(a.x[static_cast<std::size_t>((plane * g.in_height + h) * g.in_width + w)]) *
             static_cast<double>(a.w[static_cast<std::size_t>(((o * g.group_in() + c) * g.kernel_height + kh) * g.kernel_width + kw)]);
      }
    }
  }
  const auto channel = static_cast<std::size_t>(o);
  if (a.finish.bias != nullptr) y += static_cast<double>(a.bias[channel]);
  if (a.finish.factor != nullptr) {
    y = (y - static_cast<double>(a.mean[channel])) * static_cast<double>(a.factor[channel]) + static_cast<double>(a.beta[channel]);
  }
  const std::int64_t at = ((n * g.out_channels + o) * g.out_height + oh) * g.out_width + ow;
  if (a.finish.other != nullptr) y += static_cast<double>(a.other[static_cast<std::size_t>(at)]);
  return a.finish.clamps ? std::clamp(y, 0.0, 1.0) : y;
}

void check_definition(const Window& g, const Operands& a, const std::vector<float>& y) {
  double worst = 0;
  std::size_t at = 0;
  for (std::int64_t n = 0; n < g.images; ++n) {
    for (std::int64_t o = 0; o < g.out_channels; ++o) {
      for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
        for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
          const double error = std::abs(static_cast<double>(y[at++]) - expected(g, a, n, o, oh, ow));
          worst = std::isnan(error) ? HUGE_VAL : std::max(worst, error);
        }
      }
    }
  }
  CHECK(worst <= 1e-6 * static_cast<double>(g.group_in() * g.kernel_height * g.kernel_width + 4));
}

// Operands end where their memory does, and results are garbage before: what is read or left out too much shows.
std::vector<float> run(const direct::Algorithm& algorithm, const Window& g, const Operands& a, int threads) {
  const AlignedFloats packed(algorithm.packed_floats());
  algorithm.pack(a.w.data(), packed.data(), threads);
  const AlignedFloats scratch(static_cast<std::int64_t>(algorithm.scratch_bytes(threads) / sizeof(float)));
  std::vector<float> y(static_cast<std::size_t>(Operands::results(g)), std::nanf(""));
  algorithm.run(a.x.data(), packed.data(), a.finish, y.data(), reinterpret_cast<std::byte*>(scratch.data()), threads);
  return y;
}

}  // namespace

TEST_CASE("every way to run a float convolution is what the definition says, with the same bits for any number of threads") {
  for (const std::uint64_t seed : seeds(120)) {
    INFO(replay(seed));
    RandomNumbers draw(seed);
    const Window g = random_window(draw);
    const Operands a(g, draw);
    std::vector<std::unique_ptr<direct::Algorithm>> ways;
    ways.push_back(std::make_unique<direct::Convolution>(g));
    ways.push_back(std::make_unique<direct::ChannelConvolution>(g));
    if (direct::DepthwiseConvolution::takes(g)) ways.push_back(std::make_unique<direct::DepthwiseConvolution>(g));
    const std::vector<float> first = run(*ways.front(), g, a, 1);
    check_definition(g, a, first);
    for (const auto& way : ways) {
      CAPTURE(way->description());
      for (const int threads : {1, 2, 3}) {
        const std::vector<float> y = run(*way, g, a, threads);
        CHECK(std::memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("Winograd's way to run a float convolution is what the definition says, with the same bits for any number of threads") {
  for (const std::uint64_t seed : seeds(100)) {
    INFO(replay(seed));
    RandomNumbers draw(seed);
    Window g{};
    g.images = draw.between(1, 9);
    g.groups = draw.between(1, 2);
    g.in_channels = g.groups * draw.between(1, 40);
    g.out_channels = g.groups * draw.between(1, 40);
    g.kernel_height = g.kernel_width = 3;
    // One in three in whole vectors of tiles on some instruction set.
    draw_sizes(draw, g, 24, seed % 3 == 0 ? 3 : 40, 2);
    if (seed % 3 == 0) g.out_width = g.in_width = 32 * draw.between(1, 2);
    if (seed % 3 == 0) g.left = 1;
    const Operands a(g, draw);
    const direct::WinogradConvolution winograd(g);
    const std::vector<float> first = run(winograd, g, a, 1);
    check_definition(g, a, first);
    for (const int threads : {2, 3}) {
      const std::vector<float> y = run(winograd, g, a, threads);
      CHECK(std::memcmp(y.data(), first.data(), y.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("the way that is chosen is one that the window allows") {
  Window g{1, 32, 14, 14, 32, 14, 14, 3, 3};
  g.top = g.left = 1;
  CHECK(!direct::DepthwiseConvolution::takes(g));
  CHECK(direct::algorithm(g)->description().ends_with(" winograd, vectors of tiles"));
  g.groups = 32;
  CHECK(direct::DepthwiseConvolution::takes(g));
  CHECK(direct::algorithm(g)->description().ends_with(" depthwise, vectors of pixels"));
  g.stride_w = 2;
  CHECK(!direct::DepthwiseConvolution::takes(g));
  g.stride_w = 1;
  g.dilation_h = 2;
  CHECK(direct::algorithm(g)->description().ends_with(" direct, vectors of pixels"));

  // Sums of 128 taps are long enough for vectors of channels in images of 28x28, not in those of 56x56.
  for (const std::int64_t size : {28, 56}) {
    const Window pointwise{1, 128, size, size, 256, size, size, 1, 1};
    CHECK(direct::algorithm(pointwise)->description().ends_with(size == 28 ? " vectors of channels" : " vectors of pixels"));
  }
}

}  // namespace stair::tests
