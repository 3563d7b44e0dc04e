#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/statistics.h"
#include "backends/vectors.h"

namespace stair::backends::openblas {
namespace {

// What the gradient of an element needs of its channel.
struct Gradient {
  float mean[column_block], inv_std[column_block], scale[column_block], mean_dy[column_block], mean_product[column_block];
  std::int64_t next_row;  // of the channel, in the next image: fetched to be written
};

STAIR_MULTIVERSION void gradient_row(OneChannel_t, const Incoming::Row& row, const float* x, const Gradient& g, std::int64_t channel,
                                     float* dx, std::int64_t count) {
  const float mean = g.mean[channel];
  const float inv_std = g.inv_std[channel];
  const float scale = g.scale[channel];
  const float mean_dy = g.mean_dy[channel];
  const float mean_product = g.mean_product[channel];
  constexpr std::int64_t lanes = 16;
  const std::int64_t whole = count / lanes * lanes;
  for (std::int64_t i = 0; i < whole; i += lanes) {
    Floats dy, own;
    load(row.dy + i, dy);
    load(x + i, own);
    __builtin_prefetch(dx + g.next_row + i, 1, 2);
    if (row.mask != nullptr) keep_marked(row.mask + i / 8, dy);
    store(scale * (dy - mean_dy - (own - mean) * inv_std * mean_product), dx + i);
  }
  for (std::int64_t i = whole; i < count; ++i) {
    const bool counts = row.mask == nullptr || (row.mask[i / 8] >> i % 8 & 1) != 0;
    dx[i] = scale * ((counts ? row.dy[i] : 0.0F) - mean_dy - (x[i] - mean) * inv_std * mean_product);
  }
}
STAIR_MULTIVERSION void gradient_row(Columns_t, const Incoming::Row& row, const float* x, const Gradient& g, std::int64_t, float* dx,
                                     std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    dx[i] = g.scale[i] * (row.dy[i] - g.mean_dy[i] - (x[i] - g.mean[i]) * g.inv_std[i] * g.mean_product[i]);
  }
}

class BatchNormGradientKernel : public Kernel {
 public:
  BatchNormGradientKernel(const ir::Graph& graph, std::span<const ir::NodeId> nodes)
      : incoming_(graph, nodes), view_(graph.type(graph.node(nodes.back()).results[0]).shape, 1) {}

  void run(const Arguments& a) override {
    const std::size_t own = incoming_.operands();  // of batch_norm_grad; where nodes come before it, dy is what they yield
    const auto operand = [&](std::size_t i) { return a.operands[own + i].as<float>(); };
    const auto n = static_cast<double>(view_.outer * view_.inner);
    const ChannelBlocks blocks(view_, a.threads);
    for_items(blocks.count(), a.threads, [&](std::int64_t item) {
      const ChannelBlock block = blocks.at(item);
      Gradient g = {};
      g.next_row = view_.channels * view_.inner;
      std::copy_n(operand(3) + block.first, block.count, g.mean);
      std::copy_n(operand(4) + block.first, block.count, g.inv_std);
      GradientSums sums(view_, g.mean, g.inv_std);
      for_parts(a, block, [&](auto kind, std::int64_t i, const Incoming::Row& row, std::int64_t first, std::int64_t count) {
        sums.add(kind, i, row.dy, row.mask, operand(1) + first, count);
      });
      for (std::int64_t i = 0; i < block.count; ++i) {
        a.results[1].as<float>()[block.first + i] = static_cast<float>(sums.product(i));
        a.results[2].as<float>()[block.first + i] = static_cast<float>(sums.sum(i));
        g.mean_dy[i] = static_cast<float>(sums.sum(i) / n);
        g.mean_product[i] = static_cast<float>(sums.product(i) / n);
        g.scale[i] = operand(2)[block.first + i] * g.inv_std[i];
      }
      for_parts(a, block, [&](auto kind, std::int64_t i, const Incoming::Row& row, std::int64_t first, std::int64_t count) {
        gradient_row(kind, row, operand(1) + first, g, i, a.results[0].as<float>() + first, count);
      });
    });
  }
  std::string_view description() const override { return "vector loops"; }

 private:
  // Rows in parts that stay in the first-level cache between the nodes of the group.
  static constexpr std::int64_t part = 2048;

  template <class Body>
  void for_parts(const Arguments& a, ChannelBlock block, Body&& body) const {
    float buffer[part];
    for_rows(view_, block, [&](auto kind, std::int64_t i, std::int64_t first, std::int64_t count) {
      for (std::int64_t done = 0; done < count; done += part) {
        const std::int64_t some = std::min(part, count - done);
        const std::int64_t at = first + done;
        body(kind, i, kind ? Incoming::Row{incoming_.row(a, at, some, buffer), nullptr} : incoming_.masked_row(a, at, some, buffer), at,
             some);
      }
    });
  }

  Incoming incoming_;
  ChannelView view_;
};

}  // namespace

std::unique_ptr<Kernel> batch_norm_gradient(const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  return std::make_unique<BatchNormGradientKernel>(graph, nodes);
}

void batch_norm_grad(FunctionKernels& kernels) {
  kernels.add("batch_norm_grad", {.function = nullptr, .accepts = not_double, .prepare = prepare_gradient_group});
}

}  // namespace stair::backends::openblas
