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

// What the gradient of an element needs of its channel.
struct Gradient {
  float mean[column_block], inv_std[column_block], scale[column_block], mean_dy[column_block], mean_product[column_block];
};

template <bool columns>
STAIR_INLINE void gradient_body(const float* dy, const float* x, const Gradient& g, float* dx, std::int64_t count) {
  const float mean = g.mean[0];
  const float inv_std = g.inv_std[0];
  const float scale = g.scale[0];
  const float mean_dy = g.mean_dy[0];
  const float mean_product = g.mean_product[0];
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] =
        parameter<columns>(g.scale, scale, i) * (dy[i] - parameter<columns>(g.mean_dy, mean_dy, i) -
                                                 (x[i] - parameter<columns>(g.mean, mean, i)) * parameter<columns>(g.inv_std, inv_std, i) *
                                                     parameter<columns>(g.mean_product, mean_product, i));
  }
}
STAIR_MULTIVERSION void gradient_row(OneChannel_t, const float* dy, const float* x, const Gradient& g, float* dx, std::int64_t count) {
  gradient_body<false>(dy, x, g, dx, count);
}
STAIR_MULTIVERSION void gradient_row(Columns_t, const float* dy, const float* x, const Gradient& g, float* dx, std::int64_t count) {
  gradient_body<true>(dy, x, g, dx, count);
}

void run_batch_norm_gradient(const ir::Node&, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  const auto n = static_cast<double>(view.outer * view.inner);
  const auto operand = [&](std::size_t i) { return a.operands[i].as<float>(); };
  for_items(block_count(view), a.threads, [&](std::int64_t item) {
    const ChannelBlock block = channels_of(view, item);
    double sum[column_block] = {};
    double product[column_block] = {};
    Gradient g = {};
    std::copy_n(operand(3) + block.first, block.count, g.mean);
    std::copy_n(operand(4) + block.first, block.count, g.inv_std);
    gradient_sums(view, operand(0), operand(1), block, g.mean, g.inv_std, sum, product);
    for (std::int64_t i = 0; i < block.count; ++i) {
      a.results[1].as<float>()[block.first + i] = static_cast<float>(product[i]);
      a.results[2].as<float>()[block.first + i] = static_cast<float>(sum[i]);
      g.mean_dy[i] = static_cast<float>(sum[i] / n);
      g.mean_product[i] = static_cast<float>(product[i] / n);
      g.scale[i] = operand(2)[block.first + i] * g.inv_std[i];
    }
    for_rows(view, block, [&](auto kind, std::int64_t first, std::int64_t count) {
      gradient_row(kind, operand(0) + first, operand(1) + first, g, a.results[0].as<float>() + first, count);
    });
  });
}

}  // namespace

void batch_norm(FunctionKernels& kernels) {
  kernels.add("batch_norm", {run_batch_norm, "vector loops", not_double});
  kernels.add("batch_norm_grad", {run_batch_norm_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
