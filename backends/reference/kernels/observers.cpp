#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

template <class Real>
struct MinMax {
  Real low = std::numeric_limits<Real>::infinity();
  Real high = -std::numeric_limits<Real>::infinity();

  // A NaN compares false and is passed over: training stops on its own at a NaN, in the loss.
  void see(Real x) {
    if (x < low) low = x;
    if (x > high) high = x;
  }
};

template <class Real>
MinMax<Real> extent_of(const ir::TensorView& x) {
  MinMax<Real> extent;
  for (std::int64_t i = 0; i < x.count(); ++i) extent.see(x.as<Real>()[i]);
  return extent;
}

void run_min_max(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const MinMax<Real> extent = extent_of<Real>(a.operands[0]);
    // Each bound on its own: where nothing was seen, min is +inf and max is -inf.
    *a.results[0].as<Real>() = std::min(extent.low, *a.operands[1].as<Real>());
    *a.results[1].as<Real>() = std::max(extent.high, *a.operands[2].as<Real>());
  });
}

// A moving average, but that the first batches share alike.
void run_average(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const MinMax<Real> seen = extent_of<Real>(a.operands[0]);
    const Real low = *a.operands[1].as<Real>();
    const Real high = *a.operands[2].as<Real>();
    const double momentum = node.attributes.number("momentum");
    const double settled = std::min(std::ceil(1 / momentum), 0x1p53);
    const auto before = static_cast<double>(*a.operands[3].as<std::int64_t>());
    const bool first = low > high;
    const double count = first ? 1 : before < 1 ? settled : std::min(before + 1, settled);
    const auto share = static_cast<Real>(std::max(momentum, 1 / count));
    *a.results[0].as<Real>() = first ? seen.low : low + share * (seen.low - low);
    *a.results[1].as<Real>() = first ? seen.high : high + share * (seen.high - high);
    *a.results[2].as<std::int64_t>() = static_cast<std::int64_t>(count);
  });
}

void run_weight_range(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t channels = a.results[0].count();
    const std::int64_t per_channel = a.operands[0].count() / channels;
    const Real* w = a.operands[0].as<Real>();
    for (std::int64_t c = 0; c < channels; ++c) {
      MinMax<Real> extent;
      for (std::int64_t i = c * per_channel; i < (c + 1) * per_channel; ++i) extent.see(w[i]);
      a.results[0].as<Real>()[c] = extent.low;
      a.results[1].as<Real>()[c] = extent.high;
    }
  });
}

}  // namespace

void observers(FunctionKernels& kernels) {
  kernels.add("observe_min_max", {run_min_max});
  kernels.add("observe_average", {run_average});
  kernels.add("weight_range", {run_weight_range});
}

}  // namespace stair::backends::reference
