#include "backends/int8/contraction.h"

#include <algorithm>

#include "backends/int8/convolution.h"
#include "backends/int8/depthwise.h"

namespace stair::backends::int8 {

namespace {

constexpr std::size_t least_narrow =
    64 * 1024;  // weights: fewer come from the first-level cache, where unpacking takes longer than reading

// The bits of a field that holds each of the weights: 2, 4 or 8. Those of 5 to 7 bits would cross bytes.
int field_bits(std::span<const std::int8_t> weights) {
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  for (const int bits : {2, 4}) {
    if (*least >= -(1 << (bits - 1)) && *most < 1 << (bits - 1)) return bits;
  }
  return 8;
}

int packed_bits(const Kernels& kernels, const Window& window, std::span<const std::int8_t> weights) {
  const std::int64_t k = window.group_in() * window.kernel_height * window.kernel_width;
  const bool exact = k <= INT32_MAX / (255 * 128);  // see Product
  const bool few_rows = window.images * window.out_height * window.out_width <= kernels.narrow_rows;
  return exact && few_rows && weights.size() >= least_narrow ? field_bits(weights) : 8;
}

}  // namespace

std::unique_ptr<Contraction> plan_contraction(const Kernels& kernels, const Window& window, bool signed_input,
                                              std::span<const std::int8_t> weights, bool channels_first) {
  const bool depthwise = window.groups > 1 && window.group_in() == 1 && window.group_out() == 1;
  if (depthwise) return std::make_unique<DepthwiseConvolution>(kernels, window, signed_input);
  return std::make_unique<Convolution>(kernels, window, signed_input, packed_bits(kernels, window, weights),
                                       channels_first && kernels.planes && window.images == 1);
}

}  // namespace stair::backends::int8
