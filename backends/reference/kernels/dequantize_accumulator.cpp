#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// N-LOGITS
void run_dequantize_accumulator(const ir::Node& node, const Arguments& a) {
  const auto* acc = a.operands[0].as<std::int32_t>();
  auto* y = a.results[0].as<float>();
  const bool integer_bias = a.has(2) && a.operands[2].type.dtype == ir::DType::i32;
  const bool float_bias = a.has(2) && a.operands[2].type.dtype == ir::DType::f32;
  const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
  view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    const float scale = of_channel<float>(a.operands[1], c);
    const std::int32_t before = integer_bias ? of_channel<std::int32_t>(a.operands[2], c) : 0;
    for (std::int64_t i = first; i < last; ++i) y[i] = static_cast<float>(ir::wrapping_add(acc[i], before)) * scale;
    if (!float_bias) return;
    const float after = of_channel<float>(a.operands[2], c);
    for (std::int64_t i = first; i < last; ++i) y[i] = y[i] + after;
  });
}

}  // namespace

void dequantize_accumulator(FunctionKernels& kernels) {
  kernels.add("dequantize_accumulator", {run_dequantize_accumulator});
}

}  // namespace stair::backends::reference
