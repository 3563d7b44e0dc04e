#include "backends/int8/avx512_vnni/vector.h"
//
#include "backends/int8/templates/quantize.h"

namespace stair::backends::int8::avx512_vnni {

void quantize(Kernels& kernels);
void quantize(Kernels& kernels) {
  kernels.quantize = run_quantize;
  kernels.quantize_marking = run_quantize_marking;
  kernels.quantize_triples = run_quantize_triples;
  kernels.dequantize = run_dequantize;
}

}  // namespace stair::backends::int8::avx512_vnni
