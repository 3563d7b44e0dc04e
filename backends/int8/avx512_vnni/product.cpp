#include "backends/int8/avx512_vnni/vector.h"
//
#include "backends/int8/avx512_vnni/product.h"

namespace stair::backends::int8::avx512_vnni {

void product(Kernels& kernels);
void product(Kernels& kernels) {
  kernels.panel = lanes;
  kernels.narrow_rows = most_narrow_rows;
  kernels.product = run_vectors;
}

}  // namespace stair::backends::int8::avx512_vnni
