#include <algorithm>
#include <cmath>

#include "backends/channels.h"
#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

// N-LSQ
void run_learned_scale(const ir::Node& node, const Arguments& a) {
  const bool power_of_two = node.attributes.boolean("power_of_two");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      Real scale = std::max(std::abs(a.operands[0].as<Real>()[i]), Real{0x1p-100});
      if (power_of_two) scale = std::exp2(std::ceil(std::log2(scale)));
      a.results[0].as<Real>()[i] = scale;
    }
  });
}

void run_learned_scale_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      const Real dy = a.operands[0].as<Real>()[i];
      a.results[0].as<Real>()[i] = a.operands[1].as<Real>()[i] >= 0 ? dy : -dy;
    }
  });
}

// Esser 2020, section 2.1
void run_first_step(const ir::Node& node, const Arguments& a) {
  const double root = std::sqrt(static_cast<double>(node.attributes.integer("hi")));
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t channels = a.results[0].count();
    const std::int64_t length = a.operands[0].count() / channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      const Real* w = a.operands[0].as<Real>() + c * length;
      double sum = 0;
      for (std::int64_t i = 0; i < length; ++i) sum += std::abs(static_cast<double>(w[i]));
      const double step = 2 * sum / static_cast<double>(length) / root;
      a.results[0].as<Real>()[c] = step > 0 ? static_cast<Real>(step) : Real{1};
    }
  });
}

// Esser 2020, equation 3
void run_step_gradient(const ir::Node& node, const Arguments& a) {
  const ir::Range range = range_of(node);
  const double factor = node.attributes.number("factor");
  const std::int32_t zero_point = *a.operands[3].as<std::int32_t>();
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto least = static_cast<Real>(range.lo - zero_point);
    const auto most = static_cast<Real>(range.hi - zero_point);
    std::vector<double> sums(static_cast<std::size_t>(a.results[0].count()), 0.0);
    const ChannelView view(a.operands[0].type.shape, node.attributes.integer("axis"));
    view.for_each(1, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = of_channel<Real>(a.operands[2], c);
      double& sum = sums[sums.size() == 1 ? 0 : static_cast<std::size_t>(c)];
      for (std::int64_t i = first; i < last; ++i) {
        const Real t = a.operands[1].as<Real>()[i] / scale;
        const Real d = t <= least ? least : t >= most ? most : ir::round_even(t) - t;
        sum += static_cast<double>(a.operands[0].as<Real>()[i]) * static_cast<double>(d);
      }
    });
    for (std::size_t c = 0; c < sums.size(); ++c) a.results[0].as<Real>()[c] = static_cast<Real>(factor * sums[c]);
  });
}

}  // namespace

void learned_scale(FunctionKernels& kernels) {
  kernels.add("learned_scale", {run_learned_scale});
  kernels.add("learned_scale_grad", {run_learned_scale_grad});
  kernels.add("first_step", {run_first_step});
  kernels.add("step_gradient", {run_step_gradient});
}

}  // namespace stair::backends::reference
