#include <cmath>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/statistics.h"

namespace stair::backends::openblas {
namespace {

void run_batch_norm_inference(const ir::Node& node, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const auto eps = static_cast<float>(node.attributes.number("eps"));
  const auto operand = [&](std::size_t i) { return a.operands[i].as<float>(); };
  const ChannelBlocks blocks(view, a.threads);
  for_items(blocks.count(), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = blocks.at(item);
    float factor[column_block] = {};
    for (std::int64_t i = 0; i < block.count; ++i) factor[i] = operand(1)[block.first + i] / std::sqrt(operand(4)[block.first + i] + eps);
    for_rows(view, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
      const std::int64_t channel = block.first + i;
      normalize_row(kind, operand(0) + first, operand(3) + channel, factor + i, operand(2) + channel, a.results[0].as<float>() + first,
                    count);
    });
  });
}

template <bool columns>
STAIR_INLINE void scale_body(const float* x, const float* factor, float* y, std::int64_t count) {
  const float only = *factor;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * parameter<columns>(factor, only, i);
}
STAIR_MULTIVERSION void scale_row(OneChannel_t, const float* x, const float* factor, float* y, std::int64_t count) {
  scale_body<false>(x, factor, y, count);
}
STAIR_MULTIVERSION void scale_row(Columns_t, const float* x, const float* factor, float* y, std::int64_t count) {
  scale_body<true>(x, factor, y, count);
}

void run_batch_norm_inference_gradient(const ir::Node& node, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const auto eps = static_cast<float>(node.attributes.number("eps"));
  const auto operand = [&](std::size_t i) { return a.operands[i].as<float>(); };
  const ChannelBlocks blocks(view, a.threads);
  for_items(blocks.count(), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = blocks.at(item);
    float inv_std[column_block] = {};
    float factor[column_block] = {};
    for (std::int64_t i = 0; i < block.count; ++i) {
      inv_std[i] = 1.0F / std::sqrt(operand(4)[block.first + i] + eps);
      factor[i] = operand(2)[block.first + i] * inv_std[i];
    }
    GradientSums sums(view, operand(3) + block.first, inv_std);
    for_rows(view, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
      sums.add(kind, i, operand(0) + first, nullptr, operand(1) + first, count);
    });
    for (std::int64_t i = 0; i < block.count; ++i) {
      a.results[1].as<float>()[block.first + i] = static_cast<float>(sums.product(i));
      a.results[2].as<float>()[block.first + i] = static_cast<float>(sums.sum(i));
    }
    for_rows(view, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
      scale_row(kind, operand(0) + first, factor + i, a.results[0].as<float>() + first, count);
    });
  });
}

}  // namespace

void batch_norm_inference(FunctionKernels& kernels) {
  kernels.add("batch_norm_inference", {run_batch_norm_inference, "vector loops", not_double});
  kernels.add("batch_norm_inference_grad", {run_batch_norm_inference_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
