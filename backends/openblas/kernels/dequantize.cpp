#include "backends/element_types.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/channel_runs.h"
#include "backends/openblas/rows.h"

namespace stair::backends::openblas {
namespace {

// N-DEQUANT
void run_dequantize(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    for_single_runs(view, a.operands[1].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      dequantize_row(a.operands[0].as<Q>() + first, of_channel<float>(a.operands[1], c), zero_point, a.results[0].as<float>() + first,
                     last - first);
    });
  });
}

}  // namespace

void dequantize(FunctionKernels& kernels) {
  kernels.add("dequantize", {run_dequantize, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
