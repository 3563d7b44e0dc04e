#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/norm.h"

namespace stair::backends::int8::neon_dot {

void norm(Kernels& kernels);
void norm(Kernels& kernels) {
  kernels.sum_squares = run_sum_squares;
  kernels.norm = run_norm;
}

}  // namespace stair::backends::int8::neon_dot
