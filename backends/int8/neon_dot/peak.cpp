#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/peak.h"

namespace stair::backends::int8::neon_dot {

void peak(Kernels& kernels);
void peak(Kernels& kernels) {
  kernels.peak = multiply_registers<24>;
}

}  // namespace stair::backends::int8::neon_dot
