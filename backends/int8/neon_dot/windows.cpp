#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/windows.h"

namespace stair::backends::int8::neon_dot {

void windows(Kernels& kernels);
void windows(Kernels& kernels) {
  kernels.max_windows = run_max_windows;
  kernels.sum_windows = run_sum_windows;
}

}  // namespace stair::backends::int8::neon_dot
