#include <algorithm>
#include <optional>

#include "backends/element_types.h"
#include "backends/lanes.h"
#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"
#include "ir/op.h"

namespace stair::backends::openblas {
namespace {

// x as [outer, kept, inner], of which only the middle stays.
struct Kept {
  std::int64_t outer = 1, kept = 1, inner = 1;
};

constexpr std::int64_t kept_piece = 256;  // of sums that threads share out

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

template <class Q>
STAIR_INLINE std::int32_t sum_of_run(const Q* x, std::int64_t count) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += x[i];
  return sum;
}
STAIR_MULTIVERSION std::int32_t sum_run(const std::uint8_t* x, std::int64_t count) {
  return sum_of_run(x, count);
}
STAIR_MULTIVERSION std::int32_t sum_run(const std::int8_t* x, std::int64_t count) {
  return sum_of_run(x, count);
}

// N-AVG
void run_reduce_sum_integer(const ir::Node& node, const Arguments& a) {
  const Kept view = *kept_of(node.attributes, a.operands[0].type.shape);
  const std::int32_t zero_point = *a.operands[1].as<std::int32_t>();
  auto* acc = a.results[0].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* x = a.operands[0].as<Q>();
    for_items(piece_count(view.kept, kept_piece), a.threads, [&](std::int64_t item) {
      for (std::int64_t i = item * kept_piece; i < std::min(view.kept, (item + 1) * kept_piece); ++i) {
        acc[i] = -zero_point * static_cast<std::int32_t>(view.outer * view.inner);
        for (std::int64_t outer = 0; outer < view.outer; ++outer) acc[i] += sum_run(x + (outer * view.kept + i) * view.inner, view.inner);
      }
    });
  });
}

Answer accepts_reduce_sum_integer(const ir::Graph& graph, const ir::Node& node) {
  const std::optional<Kept> view = kept_of(node.attributes, graph.type(node.operands[0]).shape);
  return view && view->inner > 1 ? Answer::can() : Answer::cannot("only sums over the last axes");
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
  kernels.add("reduce_sum_integer", {run_reduce_sum_integer, "vector loops", accepts_reduce_sum_integer});
  kernels.add("reduce_mean", {run_reductions, "vector loops", accepts_reductions});
}

}  // namespace stair::backends::openblas
