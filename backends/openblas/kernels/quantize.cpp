#include "backends/element_types.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/channel_runs.h"
#include "backends/openblas/rows.h"
#include "backends/range.h"

namespace stair::backends::openblas {
namespace {

// N-QUANT
void run_quantize(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const Rounder round(range_of(node), zero_point);
  for_quantized(a.results[0].type.dtype, [&]<class Q>() {
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    for_single_runs(view, a.operands[1].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      quantize_row(a.operands[0].as<float>() + first, of_channel<float>(a.operands[1], c), round, zero_point, a.results[0].as<Q>() + first,
                   last - first);
    });
  });
}

}  // namespace

void quantize(FunctionKernels& kernels) {
  kernels.add("quantize", {run_quantize, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
