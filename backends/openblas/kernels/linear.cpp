#include "backends/openblas/accepts.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas {
namespace {

void run_linear(const ir::Node&, const Arguments& a) {
  const std::int64_t k = a.operands[1].dim(1);
  const std::int64_t outputs = a.operands[1].dim(0);
  const Blocks blocks(a.operands[0].count() / k, outputs, k);
  const float* bias = a.has(2) ? a.operands[2].as<float>() : nullptr;
  for_items(blocks.count(), a.threads, [&](std::int64_t block) {
    blocks.at(block, [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      float* y = a.results[0].as<float>() + row * outputs + column;
      if (bias != nullptr) {
        for (std::int64_t i = 0; i < rows; ++i) std::copy_n(bias + column, columns, y + i * outputs);
      }
      sgemm(rows, columns, k, {a.operands[0].as<float>() + row * k, k}, {a.operands[1].as<float>() + column * k, k, true},
            bias == nullptr ? 0.0F : 1.0F, y, outputs);
    });
  });
}

}  // namespace

void linear(FunctionKernels& kernels) {
  kernels.add("linear", {run_linear, "sgemm", not_double});
}

}  // namespace stair::backends::openblas
