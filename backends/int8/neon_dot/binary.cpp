#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/binary.h"

namespace stair::backends::int8::neon_dot {

void binary(Kernels& kernels);
void binary(Kernels& kernels) {
  kernels.binary = run_binary;
}

}  // namespace stair::backends::int8::neon_dot
