#include "backends/int8/scalar/vector.h"
//
#include "backends/int8/templates/product.h"

namespace stair::backends::int8::scalar {
namespace {

constexpr std::int64_t most_narrow_rows = 4;

void run_product(const Product& p) {
  if (p.weight_bits == 2) return stream_rows<most_narrow_rows, 4, 2>(p);
  if (p.weight_bits == 4) return stream_rows<most_narrow_rows, 4, 4>(p);
  for (std::int64_t channel = 0; channel < p.channels; channel += lanes) multiply_panels<2, 1>(p, channel);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.narrow_rows = most_narrow_rows;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::scalar
