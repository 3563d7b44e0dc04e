#include "backends/openblas/direct/algorithm.h"

#include "backends/openblas/direct/channels.h"
#include "backends/openblas/direct/convolution.h"
#include "backends/openblas/direct/depthwise.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/winograd.h"

namespace stair::backends::openblas::direct {

Algorithm::Algorithm(std::string_view how) : description_(std::string(loops().name) + " " + std::string(how)) {}

// Vectors along the channels take some work at the end of each sum, to turn its result; they pay where channels fill them and sums are
// long, the sooner the shorter an image's rows are. A pixel's channels read in place lie pages apart in large images, and then vectors of
// pixels make more of each page.
std::unique_ptr<Algorithm> algorithm(const Window& g) {
  if (DepthwiseConvolution::takes(g)) return std::make_unique<DepthwiseConvolution>(g);
  if (WinogradConvolution::takes(g)) return std::make_unique<WinogradConvolution>(g);
  constexpr std::int64_t near_pixels = 1024;
  const bool near = g.in_height * g.in_width <= near_pixels;
  const std::int64_t least_taps = near ? 128 : 192;
  const std::int64_t taps = g.group_in() * g.kernel_height * g.kernel_width;
  if ((near || !pointwise(g)) && taps >= least_taps && g.group_out() >= loops().panel_vectors * loops().lanes)
    return std::make_unique<ChannelConvolution>(g);
  return std::make_unique<Convolution>(g);
}

}  // namespace stair::backends::openblas::direct
