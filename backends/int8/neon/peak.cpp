#include "backends/int8/neon/vector.h"
//
#include "backends/int8/templates/peak.h"

namespace stair::backends::int8::neon {

void peak(Kernels& kernels);
void peak(Kernels& kernels) {
  kernels.peak = multiply_registers<24>;
}

}  // namespace stair::backends::int8::neon
