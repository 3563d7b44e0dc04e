#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/norm.h"

namespace stair::backends::int8::avx2 {

void norm(Kernels& kernels);
void norm(Kernels& kernels) {
  kernels.sum_squares = run_sum_squares;
  kernels.norm = run_norm;
}

}  // namespace stair::backends::int8::avx2
