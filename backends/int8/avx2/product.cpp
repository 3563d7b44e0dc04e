#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/product.h"

namespace stair::backends::int8::avx2 {
namespace {

// Sums in registers: 8, beside two registers for each vector of weights and for the activations.
void run_product(const Product& p) {
  std::int64_t channel = 0;
  for (; p.channels - channel > lanes; channel += 2 * lanes) multiply_panels<4, 2>(p, channel);
  for (; p.channels - channel > 0; channel += lanes) multiply_panels<6, 1>(p, channel);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::avx2
