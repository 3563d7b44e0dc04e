#include "backends/backend.h"
#include "backends/element_types.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

// N-POINT of one operand
void run_lookup(const ir::Node&, const Arguments& a) {
  const auto* table = a.operands[1].as<std::uint8_t>();
  auto* y = a.results[0].as<std::uint8_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* q = a.operands[0].as<Q>();
    constexpr int offset = std::is_signed_v<Q> ? 128 : 0;
    for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) y[i] = table[q[i] + offset];
    });
  });
}

}  // namespace

void lookup(FunctionKernels& kernels) {
  kernels.add("lookup", {run_lookup, "threaded loops"});
}

}  // namespace stair::backends::openblas
