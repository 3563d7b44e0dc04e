#include <optional>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/forward.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

// y = a op b for elements side by side, and for one b.
using Pairs = void (*)(const float* a, const float* b, float* y, std::int64_t count);
using OneB = void (*)(const float* a, float b, float* y, std::int64_t count);

#define STAIR_BINARY(name, op)                                                                         \
  STAIR_MULTIVERSION void name##_pairs(const float* a, const float* b, float* y, std::int64_t count) { \
    STAIR_SIMD                                                                                         \
    for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] op b[i];                                      \
  }                                                                                                    \
  STAIR_MULTIVERSION void name##_one(const float* a, float b, float* y, std::int64_t count) {          \
    STAIR_SIMD                                                                                         \
    for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] op b;                                         \
  }
STAIR_BINARY(add, +)
STAIR_BINARY(sub, -)
STAIR_BINARY(mul, *)
STAIR_BINARY(div, /)
#undef STAIR_BINARY

// How b spreads over a: it has `channels` elements, each for `inner` neighbours, again and again.
struct Spread {
  std::int64_t channels = 1, inner = 1;
};

// Nothing where a is spread itself, or b along dimensions that don't lie together.
std::optional<Spread> spread_of(const ir::Shape& a, const ir::Shape& b, const ir::Shape& y) {
  if (a != y) return std::nullopt;
  Spread spread;
  std::size_t i = b.size();
  const auto dim_of_y = [&](std::size_t at) { return y[y.size() - b.size() + at]; };
  while (i > 0 && b[i - 1] == 1) spread.inner *= dim_of_y(--i);
  while (i > 0 && b[i - 1] == dim_of_y(i - 1)) spread.channels *= b[--i];
  while (i > 0 && b[i - 1] == 1) --i;
  if (i > 0) return std::nullopt;
  return spread;
}

template <Pairs pairs, OneB one>
void run_arithmetic(const ir::Node&, const Arguments& arguments) {
  const ir::TensorView& y = arguments.results[0];
  const Spread spread = *spread_of(arguments.operands[0].type.shape, arguments.operands[1].type.shape, y.type.shape);
  const float* a = arguments.operands[0].as<float>();
  const float* b = arguments.operands[1].as<float>();
  const std::int64_t count = y.count();
  if (spread.channels == count) {
    for_pieces(count, arguments.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
      pairs(a + first, b + first, y.as<float>() + first, last - first);
    });
  } else if (spread.channels == 1) {
    for_pieces(count, arguments.threads,
               [&](std::int64_t, std::int64_t first, std::int64_t last) { one(a + first, *b, y.as<float>() + first, last - first); });
  } else if (spread.inner == 1) {
    for_runs(count / spread.channels, spread.channels, arguments.threads,
             [&](std::int64_t, std::int64_t first, std::int64_t last) { pairs(a + first, b, y.as<float>() + first, last - first); });
  } else {
    for_runs(count / spread.inner, spread.inner, arguments.threads, [&](std::int64_t run, std::int64_t first, std::int64_t last) {
      one(a + first, b[run % spread.channels], y.as<float>() + first, last - first);
    });
  }
}

Answer accepts_arithmetic(const ir::Graph& graph, const ir::Node& node) {
  if (Answer answer = not_double(graph, node); !answer.yes) return answer;
  const auto shape = [&](ir::ValueId value) -> const ir::Shape& { return graph.type(value).shape; };
  if (!spread_of(shape(node.operands[0]), shape(node.operands[1]), shape(node.results[0]))) {
    return Answer::cannot("only the second operand may be spread, and along one block of dimensions");
  }
  return Answer::can();
}

// A sum is of activations, or of gradients: what reads it tells.
std::vector<ir::NodeId> group_sum(const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                  const std::function<bool(ir::NodeId)>& free) {
  std::vector<ir::NodeId> nodes = gradient_group(graph, uses, first, free);
  return nodes.size() > 1 ? nodes : forward_group(graph, uses, first, free);
}

std::unique_ptr<Kernel> prepare_sum(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) {
  return (filters_gradients(graph.node(nodes[1])) ? prepare_gradient_group : prepare_forward_group)(graph, nodes, constants);
}

}  // namespace

void arithmetic(FunctionKernels& kernels) {
  kernels.add("add", {.function = run_arithmetic<add_pairs, add_one>,
                      .description = "vector loops",
                      .accepts = accepts_arithmetic,
                      .group = group_sum,
                      .prepare = prepare_sum});
  kernels.add("sub", {run_arithmetic<sub_pairs, sub_one>, "vector loops", accepts_arithmetic});
  kernels.add("mul", {run_arithmetic<mul_pairs, mul_one>, "vector loops", accepts_arithmetic});
  kernels.add("div", {run_arithmetic<div_pairs, div_one>, "vector loops", accepts_arithmetic});
}

}  // namespace stair::backends::openblas
