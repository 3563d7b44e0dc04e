#include <memory>
#include <optional>

#include "backends/matrix_product.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/product.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas {
namespace {

// By sgemm, in blocks of each matrix of the batch; a single matrix in loops of our own where they are faster.
class MatmulKernel : public Kernel {
 public:
  MatmulKernel(const ir::Graph& graph, const ir::Node& node)
      : sizes_(node.attributes, graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape),
        transposed_a_(node.attributes.boolean("transpose_a")),
        transposed_b_(node.attributes.boolean("transpose_b")) {
    if (sizes_.batches == 1 && direct::Product::takes(sizes_.m, sizes_.n, sizes_.k)) {
      product_.emplace(sizes_.m, sizes_.n, sizes_.k, transposed_a_);
    }
  }

  void run(const Arguments& a) override {
    if (!product_) return run_blocks(a);
    product_->run(a.operands[0].as<float>(), right(a, 0), nullptr, nullptr, a.results[0].as<float>(), a.scratch, a.threads);
  }

  std::size_t scratch_bytes(int threads) const override { return product_ ? product_->scratch_bytes(threads) : 0; }
  std::string_view description() const override { return product_ ? std::string_view(product_->description()) : "sgemm"; }
  std::string_view isa() const override { return direct::loops().name; }

 private:
  Matrix left(const Arguments& a, std::size_t batch) const {
    return {a.operands[0].as<float>() + sizes_.a_offset[batch], transposed_a_ ? sizes_.m : sizes_.k, transposed_a_};
  }
  Matrix right(const Arguments& a, std::size_t batch) const {
    return {a.operands[1].as<float>() + sizes_.b_offset[batch], transposed_b_ ? sizes_.k : sizes_.n, transposed_b_};
  }

  void run_blocks(const Arguments& a) const {
    const Blocks blocks(sizes_.m, sizes_.n, sizes_.k, !transposed_b_);
    for_items(sizes_.batches * blocks.count(), a.threads, [&](std::int64_t item) {
      const std::int64_t batch = item / blocks.count();
      blocks.at(item % blocks.count(), [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
        const Matrix a_rows = left(a, static_cast<std::size_t>(batch));
        const Matrix b_columns = right(a, static_cast<std::size_t>(batch));
        float* y = a.results[0].as<float>() + (batch * sizes_.m + row) * sizes_.n + column;
        for (std::int64_t i = 0; i < sizes_.k; i += blocks.k_step) {
          sgemm(rows, columns, std::min(blocks.k_step, sizes_.k - i), part(a_rows, row, i), part(b_columns, i, column),
                i == 0 ? 0.0F : 1.0F, y, sizes_.n);
        }
      });
    });
  }

  MatrixProduct sizes_;
  bool transposed_a_, transposed_b_;
  std::optional<direct::Product> product_;
};

std::unique_ptr<Kernel> prepare_matmul(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<MatmulKernel>(graph, graph.node(nodes.front()));
}

}  // namespace

void matmul(FunctionKernels& kernels) {
  kernels.add("matmul", {.function = nullptr, .accepts = not_double, .prepare = prepare_matmul});
}

}  // namespace stair::backends::openblas
