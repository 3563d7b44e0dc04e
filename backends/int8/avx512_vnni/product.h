#pragma once

// Products on 512-bit vectors, for this variant and for what AMX leaves to vectors. Over vector.h, which stands before this in the
// including file.

#include "backends/int8/templates/product.h"

namespace stair::backends::int8 {
namespace {

// Sums in registers: 24, beside 4 vectors of weights and the activations.
void run_vectors(const Product& p) {
  switch (p.lines * p.columns) {
    case 1:
      return stream_panels<1, 8>(p);
    case 2:
      return stream_panels<2, 8>(p);
    case 3:
      return stream_panels<3, 8>(p);
    default:
      break;
  }
  std::int64_t channel = 0;
  const auto left = [&] { return p.channels - channel; };
  for (; left() > 3 * lanes; channel += 4 * lanes) multiply_panels<6, 4>(p, channel);
  if (left() > 2 * lanes) return multiply_panels<8, 3>(p, channel);
  if (left() > lanes) return multiply_panels<8, 2>(p, channel);
  if (left() > 0) multiply_panels<12, 1>(p, channel);
}

}  // namespace
}  // namespace stair::backends::int8
