#include "backends/int8/avx2/vector.h"
//
#include "backends/int8/templates/softmax.h"

namespace stair::backends::int8::avx2 {

void softmax(Kernels& kernels);
void softmax(Kernels& kernels) {
  kernels.softmax = run_softmax;
}

}  // namespace stair::backends::int8::avx2
