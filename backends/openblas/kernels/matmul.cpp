#include "backends/openblas/accepts.h"
#include "backends/openblas/product.h"
#include "backends/reference/matrix.h"

namespace stair::backends::openblas {
namespace {

void run_matmul(const ir::Node& node, const Arguments& a) {
  const reference::MatrixProduct g(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  const bool ta = node.attributes.boolean("transpose_a");
  const bool tb = node.attributes.boolean("transpose_b");
  const Blocks blocks(g.m, g.n, g.k, !tb);
  for_items(g.batches * blocks.count(), a.threads, [&](std::int64_t item) {
    const auto batch = static_cast<std::size_t>(item / blocks.count());
    const Matrix left{a.operands[0].as<float>() + g.a_offset[batch], ta ? g.m : g.k, ta};
    const Matrix right{a.operands[1].as<float>() + g.b_offset[batch], tb ? g.k : g.n, tb};
    blocks.at(item % blocks.count(), [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      float* y = a.results[0].as<float>() + (item / blocks.count() * g.m + row) * g.n + column;
      for (std::int64_t k = 0; k < g.k; k += blocks.k_step) {
        sgemm(rows, columns, std::min(blocks.k_step, g.k - k), part(left, row, k), part(right, k, column), k == 0 ? 0.0F : 1.0F, y, g.n);
      }
    });
  });
}

}  // namespace

void matmul(FunctionKernels& kernels) {
  kernels.add("matmul", {run_matmul, "sgemm", not_double});
}

}  // namespace stair::backends::openblas
