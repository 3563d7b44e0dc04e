#include "backends/masks.h"

#include "backends/openblas/accepts.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

Answer one_scale(const ir::Graph& graph, const ir::Node& node) {
  if (ir::element_count(graph.type(node.operands[1]).shape) > 1) return Answer::cannot("only one scale for all elements");
  return not_double(graph, node);
}

void run_range_mask(const ir::Node& node, const Arguments& a) {
  static_assert(piece_size % 8 == 0);
  const Interval interval = marked_by(node, *a.operands[1].as<float>(), *a.operands[2].as<std::int32_t>());
  for_pieces(a.operands[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    set_bits(a.operands[0].as<float>() + first, interval, a.results[0].as<std::uint8_t>() + first / 8, last - first);
  });
}

void run_apply_mask(const ir::Node&, const Arguments& a) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    keep_marked(a.operands[0].as<float>() + first, a.operands[1].as<std::uint8_t>(), first, a.results[0].as<float>() + first, last - first);
  });
}

}  // namespace

void masks(FunctionKernels& kernels) {
  kernels.add("range_mask", {run_range_mask, "vector loops", one_scale});
  kernels.add("apply_mask", {.function = run_apply_mask,
                             .description = "vector loops",
                             .accepts = not_double,
                             .group = gradient_group,
                             .prepare = prepare_gradient_group});
}

}  // namespace stair::backends::openblas
