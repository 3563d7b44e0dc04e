#include <optional>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/lanes.h"
#include "backends/openblas/parallel.h"
#include "ir/op.h"

namespace stair::backends::openblas {
namespace {

// x as [outer, kept, inner], of which only the middle stays.
struct Kept {
  std::int64_t outer = 1, kept = 1, inner = 1;
};

// Nothing where the dimensions that stay don't lie together.
std::optional<Kept> kept_of(const ir::Attributes& attributes, const ir::Shape& x) {
  std::vector<bool> reduced(x.size(), false);
  for (const std::int64_t axis : attributes.integers("axes")) {
    reduced[static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(x.size()) : axis)] = true;
  }
  Kept view;
  std::size_t i = 0;
  while (i < x.size() && reduced[i]) view.outer *= x[i++];
  while (i < x.size() && !reduced[i]) view.kept *= x[i++];
  while (i < x.size() && reduced[i]) view.inner *= x[i++];
  if (i < x.size()) return std::nullopt;
  return view;
}

STAIR_MULTIVERSION void add_row(const float* x, float* sums, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i];
}

void run_reductions(const ir::Node& node, const Arguments& a) {
  const Kept view = *kept_of(node.attributes, a.operands[0].type.shape);
  const float* x = a.operands[0].as<float>();
  float* y = a.results[0].as<float>();
  if (view.inner == 1) {
    constexpr std::int64_t block = 64;
    for_items(piece_count(view.kept, block), a.threads, [&](std::int64_t item) {
      const std::int64_t first = item * block;
      const std::int64_t count = std::min(block, view.kept - first);
      std::fill_n(y + first, count, 0.0F);
      for (std::int64_t row = 0; row < view.outer; ++row) add_row(x + row * view.kept + first, y + first, count);
    });
  } else {
    for_items(view.kept, a.threads, [&](std::int64_t item) {
      Lanes<float> sum;
      for (std::int64_t outer = 0; outer < view.outer; ++outer) add_run(x + (outer * view.kept + item) * view.inner, view.inner, sum);
      y[item] = sum.total();
    });
  }
  if (node.op->name == "reduce_sum") return;
  const auto n = static_cast<float>(view.outer * view.inner);
  for (std::int64_t i = 0; i < view.kept; ++i) y[i] /= n;
}

Answer accepts_reductions(const ir::Graph& graph, const ir::Node& node) {
  if (!kept_of(node.attributes, graph.type(node.operands[0]).shape)) {
    return Answer::cannot("the dimensions that stay don't lie side by side");
  }
  return not_double(graph, node);
}

}  // namespace

void reductions(FunctionKernels& kernels) {
  kernels.add("reduce_sum", {run_reductions, "vector loops", accepts_reductions});
  kernels.add("reduce_mean", {run_reductions, "vector loops", accepts_reductions});
}

}  // namespace stair::backends::openblas
