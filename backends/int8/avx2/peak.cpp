#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/peak.h"

namespace stair::backends::int8::avx2 {

void peak(Kernels& kernels);
void peak(Kernels& kernels) {
  kernels.peak = multiply_registers<8>;
}

}  // namespace stair::backends::int8::avx2
