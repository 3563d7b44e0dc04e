#include "backends/backend.h"
#include "backends/multiversion.h"
#include "backends/openblas/channel_runs.h"
#include "ir/numerics.h"

namespace stair::backends::openblas {
namespace {

template <bool columns>
STAIR_INLINE void dequantize_body(const std::int32_t* acc, const float* scale, float* y, std::int64_t count) {
  const float only = *scale;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(acc[i]) * parameter<columns>(scale, only, i);
}
STAIR_MULTIVERSION void dequantize_sums(OneChannel_t, const std::int32_t* acc, const float* scale, float* y, std::int64_t count) {
  dequantize_body<false>(acc, scale, y, count);
}
STAIR_MULTIVERSION void dequantize_sums(Columns_t, const std::int32_t* acc, const float* scale, float* y, std::int64_t count) {
  dequantize_body<true>(acc, scale, y, count);
}

STAIR_MULTIVERSION void dequantize_biased(const std::int32_t* acc, std::int32_t before, float scale, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(ir::wrapping_add(acc[i], before)) * scale;
}

STAIR_MULTIVERSION void dequantize_then_add(const std::int32_t* acc, float scale, float after, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(acc[i]) * scale + after;
}

// N-LOGITS
void run_dequantize_accumulator(const ir::Node& node, const Arguments& a) {
  const auto* acc = a.operands[0].as<std::int32_t>();
  auto* y = a.results[0].as<float>();
  const bool one_scale = a.operands[1].count() == 1;
  const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
  if (!a.has(2)) {
    return for_channel_runs(view, one_scale, a.threads, [&](auto kind, std::int64_t c, std::int64_t first, std::int64_t last) {
      dequantize_sums(kind, acc + first, a.operands[1].as<float>() + (one_scale ? 0 : c), y + first, last - first);
    });
  }
  for_single_runs(view, one_scale && a.operands[2].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    const float scale = of_channel<float>(a.operands[1], c);
    if (a.operands[2].type.dtype == ir::DType::i32) {
      dequantize_biased(acc + first, of_channel<std::int32_t>(a.operands[2], c), scale, y + first, last - first);
    } else {
      dequantize_then_add(acc + first, scale, of_channel<float>(a.operands[2], c), y + first, last - first);
    }
  });
}

}  // namespace

void dequantize_accumulator(FunctionKernels& kernels) {
  kernels.add("dequantize_accumulator", {run_dequantize_accumulator, "vector loops"});
}

}  // namespace stair::backends::openblas
