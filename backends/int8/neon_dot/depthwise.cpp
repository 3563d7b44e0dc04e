#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/depthwise.h"

namespace stair::backends::int8::neon_dot {

void depthwise(Kernels& kernels);
void depthwise(Kernels& kernels) {
  kernels.depthwise = run_depthwise;
}

}  // namespace stair::backends::int8::neon_dot
