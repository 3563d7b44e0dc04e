#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/channel_runs.h"

namespace stair::backends::openblas {
namespace {

template <bool columns>
STAIR_INLINE void affine_body(const float* x, const float* scale, const float* shift, float* y, std::int64_t count) {
  if (scale == nullptr) {
    const float only = *shift;
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] + parameter<columns>(shift, only, i);
    return;
  }
  const float only = *scale;
  if (shift == nullptr) {
    STAIR_SIMD
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * parameter<columns>(scale, only, i);
    return;
  }
  const float only_shift = *shift;
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * parameter<columns>(scale, only, i) + parameter<columns>(shift, only_shift, i);
}
STAIR_MULTIVERSION void affine_row(OneChannel_t, const float* x, const float* scale, const float* shift, float* y, std::int64_t count) {
  affine_body<false>(x, scale, shift, y, count);
}
STAIR_MULTIVERSION void affine_row(Columns_t, const float* x, const float* scale, const float* shift, float* y, std::int64_t count) {
  affine_body<true>(x, scale, shift, y, count);
}

void run_channel_affine(const ir::Node&, const Arguments& a) {
  const ChannelView view(a.operands[0].type.shape, 1);
  for_channel_runs(view, false, a.threads, [&](auto kind, std::int64_t c, std::int64_t first, std::int64_t last) {
    affine_row(kind, a.operands[0].as<float>() + first, a.has(1) ? a.operands[1].as<float>() + c : nullptr,
               a.has(2) ? a.operands[2].as<float>() + c : nullptr, a.results[0].as<float>() + first, last - first);
  });
}

Answer accepts_channel_affine(const ir::Graph& graph, const ir::Node& node) {
  const auto present = [&](std::size_t i) { return i < node.operands.size() && node.operands[i] != ir::absent; };
  if (!present(1) && !present(2)) return Answer::cannot("neither scale nor shift");
  return not_double(graph, node);
}

}  // namespace

void channel_affine(FunctionKernels& kernels) {
  kernels.add("channel_affine", {run_channel_affine, "vector loops", accepts_channel_affine});
}

}  // namespace stair::backends::openblas
