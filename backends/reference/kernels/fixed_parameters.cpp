#include <algorithm>
#include <cmath>

#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

void run_fixed_parameters(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real scale = *a.operands[0].as<Real>();
    *a.results[0].as<Real>() = scale > 0 && std::isnormal(scale) ? scale : Real{1};
  });
  *a.results[1].as<std::int32_t>() = std::clamp<std::int32_t>(*a.operands[1].as<std::int32_t>(), range.lo, range.hi);
}

}  // namespace

void fixed_parameters(FunctionKernels& kernels) {
  kernels.add("fixed_parameters", {run_fixed_parameters});
}

}  // namespace stair::backends::reference
