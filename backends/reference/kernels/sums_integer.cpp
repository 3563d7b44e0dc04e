#include <algorithm>

#include "backends/reference/kernel.h"
#include "backends/reference/layout.h"
#include "backends/reference/reduction.h"
#include "backends/window.h"

namespace stair::backends::reference {
namespace {

// N-AVG
void run_avg_pool_integer(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  const std::int32_t zero_point = *a.operands[1].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    with_channels_first<Q, std::int32_t>(node, g, a, [&](const Q* x, std::int32_t* acc) {
      const std::int64_t planes = g.images * g.in_channels;
      parallel_for(planes, a.threads, [&](std::int64_t plane, int) {
        const Q* image = x + plane * g.in_height * g.in_width;
        for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
          for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
            std::int32_t sum = 0;
            for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
              for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
                const std::int64_t h = g.in_row(oh, kh);
                const std::int64_t w = g.in_column(ow, kw);
                if (g.row_inside(h) && g.column_inside(w)) sum += image[h * g.in_width + w] - zero_point;
              }
            }
            acc[(plane * g.out_height + oh) * g.out_width + ow] = sum;
          }
        }
      });
    });
  });
}

// N-AVG
void run_reduce_sum(const ir::Node& node, const Arguments& a) {
  const std::int32_t zero_point = *a.operands[1].as<std::int32_t>();
  auto* acc = a.results[0].as<std::int32_t>();
  std::fill(acc, acc + a.results[0].count(), 0);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* x = a.operands[0].as<Q>();
    const std::vector<std::int64_t> targets = reduction_targets(node.attributes, a.operands[0].type.shape);
    for (std::size_t i = 0; i < targets.size(); ++i) acc[targets[i]] += x[i] - zero_point;
  });
}

}  // namespace

void sums_integer(FunctionKernels& kernels) {
  kernels.add("avg_pool_integer", {run_avg_pool_integer});
  kernels.add("reduce_sum_integer", {run_reduce_sum});
}

}  // namespace stair::backends::reference
