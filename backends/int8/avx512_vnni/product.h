#pragma once

// Products on 512-bit vectors, for this variant and for what AMX leaves to vectors. Over vector.h, which stands before this in the
// including file.

#include "backends/int8/templates/product.h"

namespace stair::backends::int8 {
namespace {

constexpr std::int64_t most_narrow_rows = 7;

// Sums in registers: 24, beside 4 vectors of weights and the activations.
void run_vectors(const Product& p) {
  if (p.weight_bits == 2) return stream_rows<most_narrow_rows, 28, 2>(p);
  if (p.weight_bits == 4) return stream_rows<most_narrow_rows, 28, 4>(p);
  if (p.lines * p.columns <= 3) return stream_rows<3, 24, 8>(p);
  std::int64_t channel = 0;
  const auto left = [&] { return p.channels - channel; };
  for (; left() > 3 * lanes; channel += 4 * lanes) multiply_panels<6, 4>(p, channel);
  if (left() > 2 * lanes) return multiply_panels<8, 3>(p, channel);
  if (left() > lanes) return multiply_panels<8, 2>(p, channel);
  if (left() > 0) multiply_panels<12, 1>(p, channel);
}

}  // namespace
}  // namespace stair::backends::int8
