#include "backends/lanes.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

void run_global(const ir::Node&, const Arguments& a) {
  const std::int64_t plane = a.operands[0].dim(2) * a.operands[0].dim(3);
  for_runs(a.results[0].count(), plane, a.threads, [&](std::int64_t i, std::int64_t first, std::int64_t) {
    Lanes<float> sum;
    add_run(a.operands[0].as<float>() + first, plane, sum);
    a.results[0].as<float>()[i] = sum.total() / static_cast<float>(plane);
  });
}

void run_global_grad(const ir::Node&, const Arguments& a) {
  const std::int64_t plane = a.results[0].dim(2) * a.results[0].dim(3);
  for_runs(a.operands[0].count(), plane, a.threads, [&](std::int64_t i, std::int64_t first, std::int64_t last) {
    const float share = a.operands[0].as<float>()[i] / static_cast<float>(plane);
    std::fill(a.results[0].as<float>() + first, a.results[0].as<float>() + last, share);
  });
}

// The gradient of global_avg_pool.
Answer accepts_global(const ir::Graph& graph, const ir::Node& node) {
  const ir::Shape& shape = node.attributes.integers("input_shape");
  if (node.attributes.integers("kernel") != ir::Shape{shape[2], shape[3]} ||
      node.attributes.integers("padding") != std::vector<std::int64_t>{0, 0, 0, 0}) {
    return Answer::cannot("only a window of the whole image");
  }
  return not_double(graph, node);
}

}  // namespace

void avg_pool(FunctionKernels& kernels) {
  kernels.add("global_avg_pool", {run_global, "vector loops", not_double});
  kernels.add("avg_pool_grad", {run_global_grad, "vector loops", accepts_global});
}

}  // namespace stair::backends::openblas
