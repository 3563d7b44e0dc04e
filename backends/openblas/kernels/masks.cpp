#include "backends/openblas/masks.h"

#include <cmath>
#include <limits>

#include "backends/openblas/accepts.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/parallel.h"
#include "backends/openblas/parameters.h"
#include "backends/openblas/rounding.h"

namespace stair::backends::openblas {
namespace {

Answer one_scale(const ir::Graph& graph, const ir::Node& node) {
  if (ir::element_count(graph.type(node.operands[1]).shape) > 1) return Answer::cannot("only one scale for all elements");
  return not_double(graph, node);
}

void run_clip_mask(const ir::Node& node, const Arguments& a) {
  static_assert(piece_size % 8 == 0);
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const Rounder bounds(range_of(node), *a.operands[2].as<std::int32_t>());
  Interval interval = quotients_between(bounds.low, bounds.high, *a.operands[1].as<float>());
  const std::vector<double>& clamp = node.attributes.numbers("clamp");
  if (!clamp.empty()) interval.low = std::max(interval.low, std::nextafter(static_cast<float>(clamp[0]), infinite));
  if (clamp.size() > 1) interval.high = std::min(interval.high, std::nextafter(static_cast<float>(clamp[1]), -infinite));
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
  kernels.add("clip_mask", {run_clip_mask, "vector loops", one_scale});
  kernels.add("apply_mask", {.function = run_apply_mask,
                             .description = "vector loops",
                             .accepts = not_double,
                             .group = gradient_group,
                             .prepare = prepare_gradient_group});
}

}  // namespace stair::backends::openblas
