#include "backends/backend.h"
#include "backends/element_types.h"
#include "backends/openblas/convolution.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/integer_product.h"

namespace stair::backends::openblas {
namespace {

// In float: the weights and x, then a block of sums a thread.
ScratchPlan plan_linear_integer(std::int64_t rows, std::int64_t outputs, std::int64_t k) {
  const Blocks blocks(rows, outputs, k);
  return {line_up(outputs * k) + line_up(rows * k), line_up(blocks.m_step * blocks.n_step)};
}

// N-ACC
void run_linear_integer(const ir::Node&, const Arguments& a) {
  const std::int64_t k = a.operands[1].dim(1);
  const std::int64_t outputs = a.operands[1].dim(0);
  const std::int64_t rows = a.operands[0].count() / k;
  const auto* w = a.operands[1].as<std::int8_t>();
  const std::int32_t zero_point = *a.operands[2].as<std::int32_t>();
  const ScratchPlan p = plan_linear_integer(rows, outputs, k);
  auto* weights = reinterpret_cast<float*>(a.scratch);
  float* x = weights + line_up(outputs * k);
  for_pieces(outputs * k, a.threads,
             [&](std::int64_t, std::int64_t first, std::int64_t last) { to_float(w + first, 0, weights + first, last - first); });
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    for_pieces(rows * k, a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      to_float(a.operands[0].as<Q>() + first, zero_point, x + first, last - first);
    });
  });
  const std::int64_t exact = exact_run(w, outputs, k, largest_distance(a.operands[0].type.dtype, zero_point));
  const Blocks blocks(rows, outputs, k);
  parallel_for(blocks.count(), a.threads, [&](std::int64_t block, int slot) {
    blocks.at(block, [&](std::int64_t row, std::int64_t height, std::int64_t column, std::int64_t width) {
      multiply_exactly(height, width, k, {x + row * k, k}, {weights + column * k, k, true}, exact, p.of_slot(a.scratch, slot),
                       a.results[0].as<std::int32_t>() + row * outputs + column, outputs);
    });
  });
}

std::size_t linear_integer_scratch(const ir::Graph& graph, const ir::Node& node, int threads) {
  const ir::Shape& w = graph.type(node.operands[1]).shape;
  return plan_linear_integer(ir::element_count(graph.type(node.operands[0]).shape) / w[1], w[0], w[1]).bytes(threads);
}

}  // namespace

void linear_integer(FunctionKernels& kernels) {
  kernels.add(
      "linear_integer",
      {.function = run_linear_integer, .description = "sgemm (exact)", .scratch = linear_integer_scratch, .isa = direct::loops().name});
}

}  // namespace stair::backends::openblas
