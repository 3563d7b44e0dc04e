#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/statistics.h"

namespace stair::backends::openblas {
namespace {

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

inline void fetch(const float* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; i += 16) __builtin_prefetch(row + i, 0, 2);
}

class BatchNormGradientKernel : public Kernel {
 public:
  BatchNormGradientKernel(const ir::Graph& graph, std::span<const ir::NodeId> nodes) : incoming_(graph, nodes) {}

  void run(const Arguments& a) override {
    const std::size_t own = incoming_.operands();  // of batch_norm_grad; where nodes come before it, dy is what they yield
    const auto operand = [&](std::size_t i) { return a.operands[own + i].as<float>(); };
    const ChannelView view(a.results[0].type.shape, 1);
    const auto n = static_cast<double>(view.outer * view.inner);
    for_items(block_count(view), a.threads, [&](std::int64_t item) {
      const ChannelBlock block = channels_of(view, item);
      Gradient g = {};
      std::copy_n(operand(3) + block.first, block.count, g.mean);
      std::copy_n(operand(4) + block.first, block.count, g.inv_std);
      GradientSums sums(g.mean, g.inv_std);
      const std::int64_t image = view.channels * view.inner;
      for_parts(a, view, block, [&](auto kind, const float* dy, std::int64_t first, std::int64_t count) {
        if (first + image < view.outer * image) {
          fetch(operand(1) + first + image, count);
          fetch(a.operands[0].as<float>() + first + image, count);
        }
        sums.add(kind, dy, operand(1) + first, count);
      });
      for (std::int64_t i = 0; i < block.count; ++i) {
        a.results[1].as<float>()[block.first + i] = static_cast<float>(sums.product(i));
        a.results[2].as<float>()[block.first + i] = static_cast<float>(sums.sum(i));
        g.mean_dy[i] = static_cast<float>(sums.sum(i) / n);
        g.mean_product[i] = static_cast<float>(sums.product(i) / n);
        g.scale[i] = operand(2)[block.first + i] * g.inv_std[i];
      }
      for_parts(a, view, block, [&](auto kind, const float* dy, std::int64_t first, std::int64_t count) {
        gradient_row(kind, dy, operand(1) + first, g, a.results[0].as<float>() + first, count);
      });
    });
  }
  std::string_view description() const override { return "vector loops"; }

 private:
  // Rows in parts that stay in the first-level cache between the nodes of the group.
  static constexpr std::int64_t part = 2048;

  template <class Body>
  void for_parts(const Arguments& a, const ChannelView& view, ChannelBlock block, Body&& body) const {
    float buffer[part];
    for_rows(view, block, [&](auto kind, std::int64_t first, std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += part) {
        const std::int64_t some = std::min(part, count - i);
        body(kind, incoming_.row(a, first + i, some, buffer), first + i, some);
      }
    });
  }

  Incoming incoming_;
};

}  // namespace

std::unique_ptr<Kernel> batch_norm_gradient(const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  return std::make_unique<BatchNormGradientKernel>(graph, nodes);
}

void batch_norm_grad(FunctionKernels& kernels) {
  kernels.add("batch_norm_grad", {.function = nullptr, .accepts = not_double, .prepare = prepare_gradient_group});
}

}  // namespace stair::backends::openblas
