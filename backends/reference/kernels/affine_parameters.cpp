#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

void run_affine_parameters(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const bool symmetric = node.attributes.boolean("symmetric");
  const bool power_of_two = node.attributes.boolean("power_of_two");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      const auto parameters =
          ir::affine_parameters(a.operands[0].as<Real>()[i], a.operands[1].as<Real>()[i], range, symmetric, power_of_two);
      a.results[0].as<Real>()[i] = parameters.scale;
      *a.results[1].as<std::int32_t>() = parameters.zero_point;
    }
  });
}

}  // namespace

void affine_parameters(FunctionKernels& kernels) {
  kernels.add("affine_parameters", {run_affine_parameters});
}

}  // namespace stair::backends::reference
