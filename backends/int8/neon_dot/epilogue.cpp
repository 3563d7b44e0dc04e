#include "backends/int8/neon_dot/vector.h"
//
#include "backends/int8/templates/epilogue.h"

namespace stair::backends::int8::neon_dot {

void epilogue(Kernels& kernels);
void epilogue(Kernels& kernels) {
  kernels.epilogue = run_epilogue;
}

}  // namespace stair::backends::int8::neon_dot
