#include "backends/int8/contraction.h"

#include "backends/int8/convolution.h"

namespace stair::backends::int8 {

std::unique_ptr<Contraction> plan_contraction(const Kernels& kernels, const Window& window, bool signed_input) {
  return std::make_unique<Convolution>(kernels, window, signed_input);
}

}  // namespace stair::backends::int8
