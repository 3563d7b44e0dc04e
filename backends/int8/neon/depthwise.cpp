#include "backends/int8/neon/vector.h"
//
#include "backends/int8/templates/depthwise.h"

namespace stair::backends::int8::neon {

void depthwise(Kernels& kernels);
void depthwise(Kernels& kernels) {
  kernels.depthwise = run_depthwise;
}

}  // namespace stair::backends::int8::neon
