#include <algorithm>
#include <numeric>

#include "backends/lanes.h"
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

// d of N-LSQ.
STAIR_MULTIVERSION void rounding_errors(const float* x, float scale, Rounder round, float* d, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float t = x[i] / scale;
    const float above = t > round.low ? t : 0.0F;
    const float inside = t < round.high ? above : 0.0F;
    d[i] = static_cast<float>(round(t)) - inside;
  }
}

void add_step_products(const float* dy, const float* x, float scale, Rounder round, std::int64_t count, Lanes<double>& sum) {
  constexpr std::int64_t block = 1024;
  float d[block];
  Lanes<double> unread;
  for (std::int64_t first = 0; first < count; first += block) {
    const std::int64_t some = std::min(block, count - first);
    rounding_errors(x + first, scale, round, d, some);
    add_products(dy + first, nullptr, d, 0, 1, some, 0, unread, sum);
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

// Of one step in a fixed number of parts, of a channel's by one thread, so that sums have one order (N-REPEAT).
void run_step_gradient(const ir::Node& node, const Arguments& a) {
  constexpr std::int64_t parts = 64;
  const Rounder round(range_of(node), *a.operands[3].as<std::int32_t>());
  const double factor = node.attributes.number("factor");
  const auto* dy = a.operands[0].as<float>();
  const auto* x = a.operands[1].as<float>();
  const auto* scales = a.operands[2].as<float>();
  auto* gradient = a.results[0].as<float>();
  if (a.operands[2].count() == 1) {
    const std::int64_t count = a.operands[0].count();
    const std::int64_t length = piece_count(piece_count(count, parts), Lanes<double>::count) * Lanes<double>::count;
    double sums[parts] = {};
    for_items(piece_count(count, length), a.threads, [&](std::int64_t part) {
      Lanes<double> sum;
      add_step_products(dy + part * length, x + part * length, scales[0], round, std::min(length, count - part * length), sum);
      sums[part] = sum.total();
    });
    gradient[0] = static_cast<float>(factor * std::accumulate(sums, sums + parts, 0.0));
    return;
  }
  const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
  for_items(view.channels, a.threads, [&](std::int64_t c) {
    Lanes<double> sum;
    for (std::int64_t outer = 0; outer < view.outer; ++outer) {
      const std::int64_t first = (outer * view.channels + c) * view.inner;
      add_step_products(dy + first, x + first, scales[c], round, view.inner, sum);
    }
    gradient[c] = static_cast<float>(factor * sum.total());
  });
}

}  // namespace

void fake_quantize(FunctionKernels& kernels) {
  kernels.add("fake_quantize", {run_fake_quantize, "vector loops", not_double});
  kernels.add("fake_quantize_learned", {run_fake_quantize, "vector loops", not_double});
  kernels.add("step_gradient", {run_step_gradient, "vector loops", not_double});
  kernels.add("clipped_gradient", {run_clipped_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
