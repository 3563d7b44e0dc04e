#include <algorithm>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/parallel.h"
#include "ir/random.h"

namespace stair::backends::openblas {
namespace {

template <class Out>
STAIR_INLINE void signs_body(const float* x, Out* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] >= 0 ? Out{1} : Out{-1};
}
STAIR_MULTIVERSION void signs(const float* x, float* y, std::int64_t count) {
  signs_body(x, y, count);
}
STAIR_MULTIVERSION void signs(const float* x, std::int8_t* y, std::int64_t count) {
  signs_body(x, y, count);
}

STAIR_MULTIVERSION void pass_within_one(const float* dy, const float* x, float* dx, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = dy[i];
    const float kept = x[i] >= -1 ? gradient : 0.0F;
    dx[i] = x[i] <= 1 ? kept : 0.0F;
  }
}

// Courbariaux 2015, equation 2: random numbers are a function of the element's index.
template <class Out>
void draw(const ir::Node& node, const Arguments& a, std::int64_t first, std::int64_t last) {
  const float* x = a.operands[0].as<float>();
  Out* y = a.results[0].as<Out>();
  const auto seed = static_cast<std::uint64_t>(node.attributes.integer("seed"));
  const auto stream = static_cast<std::uint64_t>(node.attributes.integer("stream"));
  const auto counter = static_cast<std::uint64_t>(*a.operands[1].as<std::int64_t>());
  for (std::int64_t i = first; i < last; ++i) {
    const float p = std::clamp((x[i] + 1.0F) / 2.0F, 0.0F, 1.0F);
    y[i] = ir::random_uniform(seed, stream, counter, static_cast<std::uint64_t>(i)) < p ? Out{1} : Out{-1};
  }
}

template <class Out>
void run(const ir::Node& node, const Arguments& a) {
  const bool stochastic = node.attributes.boolean("stochastic");
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    if (stochastic) return draw<Out>(node, a, first, last);
    signs(a.operands[0].as<float>() + first, a.results[0].as<Out>() + first, last - first);
  });
}

void run_grad(const ir::Node&, const Arguments& a) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    pass_within_one(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, a.results[0].as<float>() + first, last - first);
  });
}

}  // namespace

void binarize(FunctionKernels& kernels) {
  kernels.add("binarize", {run<std::int8_t>, "vector loops", not_double});
  kernels.add("fake_binarize", {run<float>, "vector loops", not_double});
  kernels.add("fake_binarize_grad", {run_grad, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
