#include "backends/int8/neon/vector.h"
//
#include "backends/int8/templates/product.h"

namespace stair::backends::int8::neon {
namespace {

constexpr std::int64_t most_narrow_rows = 4;

// Sums in registers: 16, beside two registers for each vector of weights, two for the activations and the products.
void run_product(const Product& p) {
  if (p.weight_bits == 2) return stream_rows<most_narrow_rows, 16, 2>(p);
  if (p.weight_bits == 4) return stream_rows<most_narrow_rows, 16, 4>(p);
  std::int64_t channel = 0;
  const auto left = [&] { return p.channels - channel; };
  for (; left() > 3 * lanes; channel += 4 * lanes) multiply_panels<4, 4>(p, channel);
  if (left() > 2 * lanes) return multiply_panels<4, 3>(p, channel);
  if (left() > lanes) return multiply_panels<8, 2>(p, channel);
  if (left() > 0) multiply_panels<8, 1>(p, channel);
}

}  // namespace

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.narrow_rows = most_narrow_rows;
  kernels.signed_activations = true;
  kernels.product = run_product;
}

}  // namespace stair::backends::int8::neon
