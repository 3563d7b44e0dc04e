#include "backends/backend.h"
#include "backends/element_types.h"
#include "backends/matrix_product.h"
#include "backends/openblas/convolution.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/integer_product.h"

namespace stair::backends::openblas {
namespace {

// In float: both operands, then a block of sums a thread.
ScratchPlan plan_matmul_integer(std::int64_t a_count, std::int64_t b_count, const Blocks& blocks) {
  return {line_up(a_count) + line_up(b_count), line_up(blocks.m_step * blocks.n_step)};
}

void to_floats(const ir::TensorView& q, std::int32_t zero_point, float* y, int threads) {
  for_quantized(q.type.dtype, [&]<class Q>() {
    for_pieces(q.count(), threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      to_float(q.as<Q>() + first, zero_point, y + first, last - first);
    });
  });
}

// N-ACC
void run_matmul_integer(const ir::Node& node, const Arguments& a) {
  const MatrixProduct g(node.attributes, a.operands[0].type.shape, a.operands[1].type.shape, a.results[0].type.shape);
  const bool ta = node.attributes.boolean("transpose_a");
  const bool tb = node.attributes.boolean("transpose_b");
  const std::int32_t za = *a.operands[2].as<std::int32_t>();
  const std::int32_t zb = *a.operands[3].as<std::int32_t>();
  const Blocks blocks(g.m, g.n, g.k);
  const ScratchPlan p = plan_matmul_integer(a.operands[0].count(), a.operands[1].count(), blocks);
  auto* left = reinterpret_cast<float*>(a.scratch);
  float* right = left + line_up(a.operands[0].count());
  to_floats(a.operands[0], za, left, a.threads);
  to_floats(a.operands[1], zb, right, a.threads);
  const std::int64_t exact = exact_run(g.k, largest_distance(a.operands[0].type.dtype, za), largest_distance(a.operands[1].type.dtype, zb));
  parallel_for(g.batches * blocks.count(), a.threads, [&](std::int64_t item, int slot) {
    const auto batch = static_cast<std::size_t>(item / blocks.count());
    blocks.at(item % blocks.count(), [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      multiply_exactly(rows, columns, g.k, part({left + g.a_offset[batch], ta ? g.m : g.k, ta}, row, 0),
                       part({right + g.b_offset[batch], tb ? g.k : g.n, tb}, 0, column), exact, p.of_slot(a.scratch, slot),
                       a.results[0].as<std::int32_t>() + (item / blocks.count() * g.m + row) * g.n + column, g.n);
    });
  });
}

std::size_t matmul_integer_scratch(const ir::Graph& graph, const ir::Node& node, int threads) {
  const ir::Shape& a = graph.type(node.operands[0]).shape;
  const ir::Shape& b = graph.type(node.operands[1]).shape;
  const MatrixProduct g(node.attributes, a, b, graph.type(node.results[0]).shape);
  return plan_matmul_integer(ir::element_count(a), ir::element_count(b), Blocks(g.m, g.n, g.k)).bytes(threads);
}

}  // namespace

void matmul_integer(FunctionKernels& kernels) {
  kernels.add(
      "matmul_integer",
      {.function = run_matmul_integer, .description = "sgemm (exact)", .scratch = matmul_integer_scratch, .isa = direct::loops().name});
}

}  // namespace stair::backends::openblas
