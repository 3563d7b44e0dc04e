#include "backends/int8/neon/vector.h"
//
#include "backends/int8/templates/epilogue.h"

namespace stair::backends::int8::neon {

void epilogue(Kernels& kernels);
void epilogue(Kernels& kernels) {
  kernels.epilogue = run_epilogue;
}

}  // namespace stair::backends::int8::neon
