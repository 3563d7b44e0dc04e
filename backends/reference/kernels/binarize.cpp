#include <algorithm>

#include "backends/reference/kernel.h"
#include "ir/random.h"

namespace stair::backends::reference {
namespace {

// Courbariaux 2015, equations 1 (deterministic) and 2 (stochastic, by hard_sigmoid).
template <class Real, class Out>
void binarize_into(const ir::Node& node, const Arguments& a) {
  const Real* x = a.operands[0].as<Real>();
  Out* y = a.results[0].as<Out>();
  const bool stochastic = node.attributes.boolean("stochastic");
  const auto seed = static_cast<std::uint64_t>(node.attributes.integer("seed"));
  const auto stream = static_cast<std::uint64_t>(node.attributes.integer("stream"));
  const std::uint64_t counter = stochastic ? static_cast<std::uint64_t>(*a.operands[1].as<std::int64_t>()) : 0;
  for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
    bool up = x[i] >= 0;
    if (stochastic) {
      const Real p = std::clamp((x[i] + Real{1}) / Real{2}, Real{0}, Real{1});
      up = static_cast<Real>(ir::random_uniform(seed, stream, counter, static_cast<std::uint64_t>(i))) < p;
    }
    y[i] = static_cast<Out>(up ? 1 : -1);
  }
}

void run_binarize(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() { binarize_into<Real, std::int8_t>(node, a); });
}

void run_fake_binarize(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() { binarize_into<Real, Real>(node, a); });
}

void run_fake_binarize_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) dx[i] = x[i] >= -1 && x[i] <= 1 ? dy[i] : Real{0};
  });
}

}  // namespace

void binarize(FunctionKernels& kernels) {
  kernels.add("binarize", {run_binarize});
  kernels.add("fake_binarize", {run_fake_binarize});
  kernels.add("fake_binarize_grad", {run_fake_binarize_grad});
}

}  // namespace stair::backends::reference
