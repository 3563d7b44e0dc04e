#include "backends/int8/contraction.h"

#include "backends/int8/convolution.h"
#include "backends/int8/depthwise.h"

namespace stair::backends::int8 {

std::unique_ptr<Contraction> plan_contraction(const Kernels& kernels, const Window& window, bool signed_input) {
  const bool depthwise = window.groups > 1 && window.group_in() == 1 && window.group_out() == 1;
  if (depthwise) return std::make_unique<DepthwiseConvolution>(kernels, window, signed_input);
  return std::make_unique<Convolution>(kernels, window, signed_input);
}

}  // namespace stair::backends::int8
