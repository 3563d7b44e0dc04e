#include "backends/int8/scalar/vector.h"
//
#include "backends/int8/templates/product.h"

namespace stair::backends::int8::scalar {
namespace {

void run_product(const Product& p) {
  for (std::int64_t channel = 0; channel < p.channels; channel += lanes) multiply_panels<2, 1>(p, channel);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::scalar
