#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/forward.h"
#include "backends/openblas/gradients.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas {
namespace {

STAIR_MULTIVERSION void leaky_relu_of(const float* x, float slope, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) {
    const float scaled = x[i] * slope;
    y[i] = x[i] > 0 ? x[i] : scaled;
  }
}

STAIR_MULTIVERSION void leaky_relu_back(const float* dy, const float* x, float slope, float* dx, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) dx[i] = dy[i] * (x[i] > 0 ? 1.0F : slope);
}

float slope_of(const ir::Node& node) {
  return node.attributes.has("slope") ? static_cast<float>(node.attributes.number("slope")) : 0.0F;
}

template <Activation function>
void run_activations(const ir::Node& node, const Arguments& a) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    function(a.operands[0].as<float>() + first, slope_of(node), a.results[0].as<float>() + first, last - first);
  });
}

template <ActivationGradient function>
void run_activations_gradient(const ir::Node& node, const Arguments& a) {
  for_pieces(a.results[0].count(), a.threads, [&](std::int64_t, std::int64_t first, std::int64_t last) {
    function(a.operands[0].as<float>() + first, a.operands[1].as<float>() + first, slope_of(node), a.results[0].as<float>() + first,
             last - first);
  });
}

template <Activation function>
void add_clamp(FunctionKernels& kernels, const char* op) {
  kernels.add(op, {.function = run_activations<function>,
                   .description = "vector loops",
                   .accepts = not_double,
                   .group = forward_group,
                   .prepare = prepare_forward_group});
}

template <ActivationGradient function>
void add_clamp_gradient(FunctionKernels& kernels, const char* op) {
  kernels.add(op, {.function = run_activations_gradient<function>,
                   .description = "vector loops",
                   .accepts = not_double,
                   .group = gradient_group,
                   .prepare = prepare_gradient_group});
}

}  // namespace

void activations(FunctionKernels& kernels) {
  add_clamp<relu_of>(kernels, "relu");
  add_clamp<relu6_of>(kernels, "relu6");
  kernels.add("leaky_relu", {run_activations<leaky_relu_of>, "vector loops", not_double});
  add_clamp_gradient<relu_back>(kernels, "relu_grad");
  add_clamp_gradient<relu6_back>(kernels, "relu6_grad");
  kernels.add("leaky_relu_grad", {run_activations_gradient<leaky_relu_back>, "vector loops", not_double});
}

}  // namespace stair::backends::openblas
