#include "backends/int8/avx512_vnni/vector.h"
//
#include "backends/int8/templates/peak.h"

namespace stair::backends::int8::avx512_vnni {

void peak(Kernels& kernels);
void peak(Kernels& kernels) {
  kernels.peak = multiply_registers<12>;
}

}  // namespace stair::backends::int8::avx512_vnni
