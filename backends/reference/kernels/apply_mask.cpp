#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_apply_mask(const ir::Node&, const Arguments& a) {
  const auto* mask = a.operands[1].as<std::uint8_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* dx = a.results[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) dx[i] = (mask[i / 8] >> i % 8 & 1) != 0 ? dy[i] : Real{0};
  });
}

}  // namespace

void apply_mask(FunctionKernels& kernels) {
  kernels.add("apply_mask", {run_apply_mask});
}

}  // namespace stair::backends::reference
