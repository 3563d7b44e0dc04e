#include "backends/openblas/accepts.h"
#include "backends/openblas/channel_runs.h"
#include "backends/openblas/rounding.h"
#include "backends/range.h"
#include "ir/straight_through.h"

namespace stair::backends::openblas {
namespace {

// N-FAKE; (z + round(t)) - z is round(t).
STAIR_MULTIVERSION void fake_quantize_row(const float* x, float scale, Rounder round, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = static_cast<float>(round(x[i] / scale)) * scale;
}

// N-STE
STAIR_MULTIVERSION void pass_inside(const float* dy, const float* x, float scale, float least, float most, float* dx, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float t = x[i] / scale;
    const float gradient = dy[i];
    const float kept = t >= least ? gradient : 0.0F;
    dx[i] = t <= most ? kept : 0.0F;
  }
}

void run_fake_quantize(const ir::Node& node, const Arguments& a) {
  const Rounder round(range_of(node), *a.operands[2].as<std::int32_t>());
  const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
  for_single_runs(view, a.operands[1].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    fake_quantize_row(a.operands[0].as<float>() + first, of_channel<float>(a.operands[1], c), round, a.results[0].as<float>() + first,
                      last - first);
  });
}

void run_clipped_gradient(const ir::Node& node, const Arguments& a) {
  const ir::Quotients<float> inside = ir::quotients_inside<float>(range_of(node), *a.operands[3].as<std::int32_t>());
  const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
  for_single_runs(view, a.operands[2].count() == 1, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    pass_inside(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, of_channel<float>(a.operands[2], c), inside.least,
                inside.most, a.results[0].as<float>() + first, last - first);
  });
}

}  // namespace

void fake_quantize(FunctionKernels& kernels) {
  kernels.add("fake_quantize", {run_fake_quantize, "vector loops", not_double});
  kernels.add("fake_quantize_learned", {run_fake_quantize, "vector loops", not_double});
  kernels.add("clipped_gradient", {run_clipped_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
