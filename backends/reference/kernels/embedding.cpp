#include <algorithm>

#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

constexpr std::int64_t grain = 16'384;  // elements of a piece

// What is fed may be anything.
std::int64_t row_at(std::int32_t index, std::int64_t rows) {
  return std::clamp<std::int64_t>(index, 0, rows - 1);
}

template <class Body>
void for_parts(std::int64_t count, std::int64_t size, int threads, Body&& body) {
  parallel_for((count + size - 1) / size, threads, [&](std::int64_t part, int) { body(part * size, std::min(count, (part + 1) * size)); });
}

void run_embedding(const ir::Node&, const Arguments& a) {
  const std::int64_t rows = a.operands[0].dim(0);
  const std::int64_t columns = a.operands[0].dim(1);
  const auto* indices = a.operands[1].as<std::int32_t>();
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    const T* weight = a.operands[0].as<T>();
    T* y = a.results[0].as<T>();
    for_parts(a.operands[1].count(), std::max<std::int64_t>(grain / columns, 1), a.threads, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) std::copy_n(weight + row_at(indices[i], rows) * columns, columns, y + i * columns);
    });
  });
}

// Each element is a sum in the order of the indices: threads share the columns.
void run_embedding_grad(const ir::Node&, const Arguments& a) {
  const std::int64_t rows = a.results[0].dim(0);
  const std::int64_t columns = a.results[0].dim(1);
  const std::int64_t count = a.operands[1].count();
  const auto* indices = a.operands[1].as<std::int32_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* dweight = a.results[0].as<Real>();
    std::fill(dweight, dweight + rows * columns, Real{0});
    for_parts(columns, std::max<std::int64_t>(grain / count, 16), a.threads, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 0; i < count; ++i) {
        Real* const to = dweight + row_at(indices[i], rows) * columns;
        for (std::int64_t c = begin; c < end; ++c) to[c] += dy[i * columns + c];
      }
    });
  });
}

}  // namespace

void embedding(FunctionKernels& kernels) {
  kernels.add("embedding", {run_embedding});
  kernels.add("embedding_grad", {run_embedding_grad});
}

}  // namespace stair::backends::reference
