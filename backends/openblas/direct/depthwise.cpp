#include "backends/openblas/direct/depthwise.h"

#include <algorithm>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t pixels_of_worker = 16 * 1024;  // what a thread must have to do before waking another pays

}  // namespace

bool DepthwiseConvolution::takes(const Window& g) {
  return g.groups == g.in_channels && g.groups == g.out_channels && g.kernel_height == 3 && g.kernel_width == 3 &&
         g.stride_h == g.stride_w && g.stride_h <= 2 && g.dilation_h == 1 && g.dilation_w == 1;
}

void DepthwiseConvolution::pack(const float* w, float* packed, int) const {
  std::copy_n(w, packed_floats(), packed);
}

void DepthwiseConvolution::run(const float* x, const float* packed, const Finish& finish, float* y, std::byte*, int threads) const {
  const Window& g = window_;
  const std::int64_t in = g.in_height * g.in_width;
  const std::int64_t out = g.out_height * g.out_width;
  const std::int64_t planes = g.images * g.out_channels;
  const auto workers = static_cast<int>(std::clamp<std::int64_t>(planes * out / pixels_of_worker, 1, threads));
  for_items(planes, workers, [&](std::int64_t plane) {
    const std::int64_t channel = plane % g.out_channels;
    const float* other = finish.other == nullptr ? nullptr : finish.other + plane * out;
    loops().depthwise({x + plane * in,
                       g.in_height,
                       g.in_width,
                       g.top,
                       g.left,
                       g.stride_h,
                       packed + channel * 9,
                       g.out_height,
                       g.out_width,
                       {&finish, channel, other, y + plane * out, out}});
  });
}

}  // namespace stair::backends::openblas::direct
