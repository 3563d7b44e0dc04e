#include "backends/int8/scalar/vector.h"
//
#include "backends/int8/templates/peak.h"

namespace stair::backends::int8::scalar {

void peak(Kernels& kernels);
void peak(Kernels& kernels) {
  kernels.peak = multiply_registers<4>;
}

}  // namespace stair::backends::int8::scalar
