#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/product.h"

namespace stair::backends::int8::avx2 {
namespace {

constexpr std::int64_t most_narrow_rows = 4;

// Sums in registers: 8, beside two registers for each vector of weights and for the activations.
void run_product(const Product& p) {
  if (p.weight_bits == 2) return stream_rows<most_narrow_rows, 8, 2>(p);
  if (p.weight_bits == 4) return stream_rows<most_narrow_rows, 8, 4>(p);
  std::int64_t channel = 0;
  for (; p.channels - channel > lanes; channel += 2 * lanes) multiply_panels<4, 2>(p, channel);
  for (; p.channels - channel > 0; channel += lanes) multiply_panels<6, 1>(p, channel);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.narrow_rows = most_narrow_rows;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::avx2
