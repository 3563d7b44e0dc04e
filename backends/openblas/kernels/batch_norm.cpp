#include <cmath>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/statistics.h"

namespace stair::backends::openblas {
namespace {

void run_batch_norm(const ir::Node& node, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const auto eps = static_cast<float>(node.attributes.number("eps"));
  const auto momentum = static_cast<float>(node.attributes.number("momentum"));
  const std::int64_t n = view.outer * view.inner;
  const float unbias = n > 1 ? static_cast<float>(n) / static_cast<float>(n - 1) : 1.0F;
  const auto operand = [&](std::size_t i) { return a.operands[i].as<float>(); };
  const auto result = [&](std::size_t i) { return a.results[i].as<float>(); };
  for_items(block_count(view), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = channels_of(view, item);
    float mean[column_block] = {};
    float variance[column_block] = {};
    float scale[column_block] = {};
    moments(view, operand(0), block, mean, variance);
    for (std::int64_t i = 0; i < block.count; ++i) {
      const std::int64_t c = block.first + i;
      const float inv_std = 1.0F / std::sqrt(variance[i] + eps);
      scale[i] = operand(1)[c] * inv_std;
      result(1)[c] = (1.0F - momentum) * operand(3)[c] + momentum * mean[i];
      result(2)[c] = (1.0F - momentum) * operand(4)[c] + momentum * (unbias * variance[i]);
      result(3)[c] = mean[i];
      result(4)[c] = inv_std;
    }
    for_rows(view, block, [&](auto kind, std::int64_t first, std::int64_t count) {
      normalize_row(kind, operand(0) + first, mean, scale, operand(2) + block.first, result(0) + first, count);
    });
  });
}

}  // namespace

void batch_norm(FunctionKernels& kernels) {
  kernels.add("batch_norm", {run_batch_norm, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
