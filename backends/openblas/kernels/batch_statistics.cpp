#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/statistics.h"

namespace stair::backends::openblas {
namespace {

void run_batch_statistics(const ir::Node&, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const ChannelBlocks blocks(view, a.threads);
  for_items(blocks.count(), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = blocks.at(item);
    moments(view, a.operands[0].as<float>(), block, a.results[0].as<float>() + block.first, a.results[1].as<float>() + block.first);
  });
}

template <bool columns>
STAIR_INLINE void spread_body(const float* x, const float* mean, const float* dmean, const float* dvar, float* dx, std::int64_t count) {
  const float only_mean = *mean;
  const float only_dmean = *dmean;
  const float only_dvar = *dvar;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] =
        parameter<columns>(dmean, only_dmean, i) + (x[i] - parameter<columns>(mean, only_mean, i)) * parameter<columns>(dvar, only_dvar, i);
  }
}
STAIR_MULTIVERSION void spread_row(OneChannel_t, const float* x, const float* mean, const float* dmean, const float* dvar, float* dx,
                                   std::int64_t count) {
  spread_body<false>(x, mean, dmean, dvar, dx, count);
}
STAIR_MULTIVERSION void spread_row(Columns_t, const float* x, const float* mean, const float* dmean, const float* dvar, float* dx,
                                   std::int64_t count) {
  spread_body<true>(x, mean, dmean, dvar, dx, count);
}

void run_batch_statistics_gradient(const ir::Node&, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const auto n = static_cast<float>(view.outer * view.inner);
  const ChannelBlocks blocks(view, a.threads);
  for_items(blocks.count(), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = blocks.at(item);
    float dmean[column_block] = {};
    float dvar[column_block] = {};
    for (std::int64_t i = 0; i < block.count; ++i) {
      dmean[i] = a.has(2) ? a.operands[2].as<float>()[block.first + i] / n : 0.0F;
      dvar[i] = a.has(3) ? 2.0F * a.operands[3].as<float>()[block.first + i] / n : 0.0F;
    }
    for_rows(view, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
      spread_row(kind, a.operands[0].as<float>() + first, a.operands[1].as<float>() + block.first + i, dmean + i, dvar + i,
                 a.results[0].as<float>() + first, count);
    });
  });
}

}  // namespace

void batch_statistics(FunctionKernels& kernels) {
  kernels.add("batch_statistics", {run_batch_statistics, "vector loops", not_double});
  kernels.add("batch_statistics_grad", {run_batch_statistics_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
