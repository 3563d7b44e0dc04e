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

// Courbariaux 2015, equation 2: random numbers are a function of the element's index. As std::clamp, NaN included.
template <class Out>
STAIR_INLINE void draw_body(const ir::RandomNumbers& random, const float* x, Out* y, std::int64_t first, std::int64_t last) {
  const ir::RandomNumbers numbers = random;
  STAIR_SIMD
  for (std::int64_t i = first; i < last; ++i) {
    const float half = (x[i] + 1.0F) / 2.0F;
    const float raised = half < 0 ? 0.0F : half;
    const float p = 1 < raised ? 1.0F : raised;
    y[i] = numbers.uniform(static_cast<std::uint64_t>(i)) < p ? Out{1} : Out{-1};
  }
}
STAIR_MULTIVERSION void draw(const ir::RandomNumbers& random, const float* x, float* y, std::int64_t first, std::int64_t last) {
  draw_body(random, x, y, first, last);
}
STAIR_MULTIVERSION void draw(const ir::RandomNumbers& random, const float* x, std::int8_t* y, std::int64_t first, std::int64_t last) {
  draw_body(random, x, y, first, last);
}

template <class Out>
void run_stochastic(const ir::Node& node, const Arguments& a) {
  const ir::RandomNumbers random(static_cast<std::uint64_t>(node.attributes.integer("seed")),
                                 static_cast<std::uint64_t>(node.attributes.integer("stream")),
                                 static_cast<std::uint64_t>(*a.operands[1].as<std::int64_t>()));
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    draw(random, a.operands[0].as<float>(), a.results[0].as<Out>(), first, last);
  });
}

template <class Out>
void run_binarize(const ir::Node& node, const Arguments& a) {
  if (node.attributes.boolean("stochastic")) return run_stochastic<Out>(node, a);
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    signs(a.operands[0].as<float>() + first, a.results[0].as<Out>() + first, last - first);
  });
}

void run_binarize_gradient(const ir::Node&, const Arguments& a) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    pass_within_one(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, a.results[0].as<float>() + first, last - first);
  });
}

}  // namespace

void binarize(FunctionKernels& kernels) {
  kernels.add("binarize", {run_binarize<std::int8_t>, "vector loops", not_double});
  kernels.add("fake_binarize", {run_binarize<float>, "vector loops", not_double});
  kernels.add("fake_binarize_grad", {run_binarize_gradient, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
