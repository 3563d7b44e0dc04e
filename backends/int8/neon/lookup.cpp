#include "backends/int8/neon/lookup.h"

namespace stair::backends::int8::neon {

void lookup(Kernels& kernels);
void lookup(Kernels& kernels) {
  kernels.lookup = register_lookup;
}

}  // namespace stair::backends::int8::neon
