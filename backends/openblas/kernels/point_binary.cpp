#include "backends/element_types.h"
#include "backends/multiversion.h"
#include "backends/openblas/parallel.h"
#include "backends/openblas/rows.h"
#include "backends/range.h"

namespace stair::backends::openblas {
namespace {

using Function = void (*)(float* a, const float* b, std::int64_t count);

STAIR_MULTIVERSION void add_to(float* a, const float* b, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) a[i] = a[i] + b[i];
}
STAIR_MULTIVERSION void subtract_from(float* a, const float* b, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) a[i] = a[i] - b[i];
}
STAIR_MULTIVERSION void multiply_by(float* a, const float* b, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) a[i] = a[i] * b[i];
}

void dequantize(const Arguments& a, std::size_t operand, std::int64_t first, float* x, std::int64_t count) {
  const std::size_t scale = operand == 0 ? 2 : 4;
  for_quantized(a.operands[operand].type.dtype, [&]<class Q>() {
    dequantize_row(a.operands[operand].as<Q>() + first, *a.operands[scale].as<float>(), *a.operands[scale + 1].as<std::int32_t>(), x,
                   count);
  });
}

// N-POINT, a cacheful at a time
void run_point_binary(const ir::Node& node, const Arguments& a) {
  const std::string& name = node.attributes.text("function");
  const Function function = name == "add" ? add_to : (name == "sub" ? subtract_from : multiply_by);
  const float scale = *a.operands[6].as<float>();
  const std::int32_t zero_point = *a.operands[7].as<std::int32_t>();
  const Rounder round(range_of(node, a, 8), zero_point);
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    constexpr std::int64_t step = 1024;
    float left[step];
    float right[step];
    for (std::int64_t first = begin; first < end; first += step) {
      const std::int64_t count = std::min(step, end - first);
      dequantize(a, 0, first, left, count);
      dequantize(a, 1, first, right, count);
      function(left, right, count);
      for_quantized(a.results[0].type.dtype,
                    [&]<class Q>() { quantize_row(left, scale, round, zero_point, a.results[0].as<Q>() + first, count); });
    }
  });
}

Answer accepts_point_binary(const ir::Graph& graph, const ir::Node& node) {
  if (graph.type(node.operands[0]).shape != graph.type(node.operands[1]).shape) return Answer::cannot("the operands' shapes differ");
  return Answer::can();
}

}  // namespace

void point_binary(FunctionKernels& kernels) {
  kernels.add("point_binary", {run_point_binary, "vector loops", accepts_point_binary});
}

}  // namespace stair::backends::openblas
