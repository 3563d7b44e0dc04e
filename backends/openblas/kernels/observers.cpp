#include "backends/min_max.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

MinMax extent_of(const Arguments& a) {
  const ir::TensorView& x = a.operands[0];
  auto* pieces = reinterpret_cast<MinMax*>(a.scratch);
  for_pieces(x.count(), a.threads, [&](std::int64_t piece, std::int64_t first, std::int64_t last) {
    MinMax extent;
    extent.see(x.as<float>() + first, last - first);
    pieces[piece] = extent;
  });
  return joined(std::span(pieces, static_cast<std::size_t>(piece_count(x.count()))));
}

void store(const Arguments& a, std::int64_t channel, const MinMax& extent) {
  a.results[0].as<float>()[channel] = extent.low;
  a.results[1].as<float>()[channel] = extent.high;
}

void run_observer(const ir::Node& node, const Arguments& a) {
  observer_of(node)(node, extent_of(a), Seen::load(a.operands.subspan(1))).store(a.results);
}

void run_weight_range(const ir::Node&, const Arguments& a) {
  const std::int64_t channels = a.results[0].count();
  if (channels == 1) return store(a, 0, extent_of(a));
  for_runs(channels, a.operands[0].count() / channels, a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
    MinMax extent;
    extent.see(a.operands[0].as<float>() + first, last - first);
    store(a, c, extent);
  });
}

std::size_t observers_scratch(const ir::Graph& graph, const ir::Node& node, int /*threads*/) {
  return static_cast<std::size_t>(piece_count(ir::element_count(graph.type(node.operands[0]).shape))) * sizeof(MinMax);
}

}  // namespace

void observers(FunctionKernels& kernels) {
  for (const char* op : {"observe_min_max", "observe_average"}) {
    kernels.add(op, {run_observer, "vector loops", not_double, observers_scratch});
  }
  kernels.add("weight_range", {run_weight_range, "vector loops", not_double, observers_scratch});
}

}  // namespace stair::backends::openblas
