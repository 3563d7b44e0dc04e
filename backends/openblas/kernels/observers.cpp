#include <limits>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

// A NaN compares false and is passed over.
struct Extent {
  float low = std::numeric_limits<float>::infinity();
  float high = -std::numeric_limits<float>::infinity();

  void see(float x_low, float x_high) {
    low = x_low < low ? x_low : low;
    high = x_high > high ? x_high : high;
  }
};

STAIR_MULTIVERSION void see_run(const float* x, std::int64_t count, Extent& extent) {
  constexpr int lanes = 32;
  float low[lanes];
  float high[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    low[lane] = extent.low;
    high[lane] = extent.high;
  }
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    STAIR_SIMD
    for (int lane = 0; lane < lanes; ++lane) {
      const float value = x[i + lane];
      low[lane] = value < low[lane] ? value : low[lane];
      high[lane] = value > high[lane] ? value : high[lane];
    }
  }
  for (; i < count; ++i) extent.see(x[i], x[i]);
  for (int lane = 0; lane < lanes; ++lane) extent.see(low[lane], high[lane]);
}

Extent extent_of(const Arguments& a) {
  const ir::TensorView& x = a.operands[0];
  auto* pieces = reinterpret_cast<Extent*>(a.scratch);
  for_pieces(x.count(), a.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
    Extent extent;
    see_run(x.as<float>() + first, last - first, extent);
    pieces[piece] = extent;
  });
  Extent all;
  for (std::int64_t piece = 0; piece < piece_count(x.count()); ++piece) all.see(pieces[piece].low, pieces[piece].high);
  return all;
}

void run_min_max(const ir::Node&, const Arguments& a) {
  Extent extent = extent_of(a);
  extent.see(*a.operands[1].as<float>(), *a.operands[2].as<float>());
  *a.results[0].as<float>() = extent.low;
  *a.results[1].as<float>() = extent.high;
}

void run_moving_average(const ir::Node& node, const Arguments& a) {
  const Extent seen = extent_of(a);
  const float low = *a.operands[1].as<float>();
  const float high = *a.operands[2].as<float>();
  const auto momentum = static_cast<float>(node.attributes.number("momentum"));
  const bool first = low > high;
  *a.results[0].as<float>() = first ? seen.low : low + momentum * (seen.low - low);
  *a.results[1].as<float>() = first ? seen.high : high + momentum * (seen.high - high);
}

void run_weight_range(const ir::Node&, const Arguments& a) {
  const std::int64_t channels = a.results[0].count();
  const auto store = [&](std::int64_t c, const Extent& extent) {
    a.results[0].as<float>()[c] = extent.low;
    a.results[1].as<float>()[c] = extent.high;
  };
  if (channels == 1) return store(0, extent_of(a));
  for_runs(channels, a.operands[0].count() / channels, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    Extent extent;
    see_run(a.operands[0].as<float>() + first, last - first, extent);
    store(c, extent);
  });
}

std::size_t observers_scratch(const ir::Graph& graph, const ir::Node& node) {
  return static_cast<std::size_t>(piece_count(ir::element_count(graph.type(node.operands[0]).shape))) * sizeof(Extent);
}

}  // namespace

void observers(FunctionKernels& kernels) {
  kernels.add("observe_min_max", {run_min_max, "vector loops", not_double, observers_scratch});
  kernels.add("observe_moving_average", {run_moving_average, "vector loops", not_double, observers_scratch});
  kernels.add("weight_range", {run_weight_range, "vector loops", not_double, observers_scratch});
}

}  // namespace stair::backends::openblas
