#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/normalize.h"

namespace stair::backends::int8::avx2 {

void normalize(Kernels& kernels);
void normalize(Kernels& kernels) {
  kernels.quantize_normalized = run_quantize_normalized;
}

}  // namespace stair::backends::int8::avx2
