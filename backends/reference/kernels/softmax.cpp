#include <algorithm>
#include <cmath>

#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// Calls body(first element, stride) for each line along the axis.
template <class Body>
void for_lines(const ir::Node& node, const Arguments& a, Body&& body) {
  const ChannelView view(a.results[0].type.shape, node.attributes.integer("axis"));
  parallel_for(view.outer, a.threads, [&](std::int64_t outer, int) {
    for (std::int64_t inner = 0; inner < view.inner; ++inner) body(outer * view.channels * view.inner + inner, view.inner, view.channels);
  });
}

void run_softmax(const ir::Node& node, const Arguments& a) {
  const bool logarithm = node.op->name == "log_softmax";
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    for_lines(node, a, [&](std::int64_t first, std::int64_t stride, std::int64_t n) {
      Real largest = x[first];
      for (std::int64_t i = 1; i < n; ++i) largest = std::max(largest, x[first + i * stride]);
      Real sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(x[first + i * stride] - largest);
      const Real normal = largest + std::log(sum);
      for (std::int64_t i = first; i < first + n * stride; i += stride) y[i] = logarithm ? x[i] - normal : std::exp(x[i] - largest) / sum;
    });
  });
}

void run_softmax_gradient(const ir::Node& node, const Arguments& a) {
  const bool logarithm = node.op->name == "log_softmax_grad";
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* y = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    for_lines(node, a, [&](std::int64_t first, std::int64_t stride, std::int64_t n) {
      Real sum = 0;
      for (std::int64_t i = first; i < first + n * stride; i += stride) sum += logarithm ? dy[i] : dy[i] * y[i];
      for (std::int64_t i = first; i < first + n * stride; i += stride)
        dx[i] = logarithm ? dy[i] - std::exp(y[i]) * sum : y[i] * (dy[i] - sum);
    });
  });
}

}  // namespace

void softmax(FunctionKernels& kernels) {
  kernels.add("softmax", {run_softmax});
  kernels.add("log_softmax", {run_softmax});
  kernels.add("softmax_grad", {run_softmax_gradient});
  kernels.add("log_softmax_grad", {run_softmax_gradient});
}

}  // namespace stair::backends::reference
