#include "backends/int8/templates/lookup.h"

namespace stair::backends::int8::scalar {

void lookup(Kernels& kernels);
void lookup(Kernels& kernels) {
  kernels.lookup = run_lookup;
}

}  // namespace stair::backends::int8::scalar
