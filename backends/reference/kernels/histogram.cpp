#include "ir/histogram.h"

#include <cmath>
#include <limits>
#include <vector>

#include "backends/reference/kernel.h"
#include "ir/numerics.h"

namespace stair::backends::reference {
namespace {

using ir::histogram::high_edge;
using ir::histogram::low_edge;

void run_observe_histogram(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    std::vector<std::int64_t> counts(ir::histogram::bins, 0);
    const std::int64_t total = a.operands[0].count();
    for (std::int64_t i = 0; i < total; ++i) {
      const Real x = a.operands[0].as<Real>()[i];
      if (!std::isnan(x)) ++counts[static_cast<std::size_t>(ir::histogram::bin_of(static_cast<double>(x)))];
    }
    for (std::int64_t bin = 0; bin < ir::histogram::bins; ++bin) {
      const double share = static_cast<double>(counts[static_cast<std::size_t>(bin)]) / static_cast<double>(total);
      a.results[0].as<Real>()[bin] = a.operands[1].as<Real>()[bin] + static_cast<Real>(share);
    }
  });
}

// Of a histogram: what it holds, and the edges of all of it.
struct Whole {
  double sum = 0;
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
};

template <class Real>
Whole whole_of(const Real* histogram) {
  Whole whole;
  for (std::int64_t bin = 0; bin < ir::histogram::bins; ++bin) {
    if (!(histogram[bin] > 0)) continue;
    whole.sum += static_cast<double>(histogram[bin]);
    whole.low = std::min(whole.low, low_edge(bin));
    whole.high = std::max(whole.high, high_edge(bin));
  }
  return whole;
}

// N-HISTOGRAM
void run_percentile_range(const ir::Node& node, const Arguments& a) {
  const double left_out = 1 - node.attributes.number("percentile") / 100;
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* histogram = a.operands[0].as<Real>();
    const Whole whole = whole_of(histogram);
    double low = whole.low;
    double high = whole.high;
    // Elements lie evenly in a bin.
    double before = 0;
    for (std::int64_t bin = 0; bin < ir::histogram::bins && whole.sum > 0; ++bin) {
      const auto here = static_cast<double>(histogram[bin]);
      if (before + here > left_out * whole.sum) {
        low = low_edge(bin) + (high_edge(bin) - low_edge(bin)) * (left_out * whole.sum - before) / here;
        break;
      }
      before += here;
    }
    double behind = 0;
    for (std::int64_t bin = ir::histogram::bins - 1; bin >= 0 && whole.sum > 0; --bin) {
      const auto here = static_cast<double>(histogram[bin]);
      if (behind + here > left_out * whole.sum) {
        high = high_edge(bin) - (high_edge(bin) - low_edge(bin)) * (left_out * whole.sum - behind) / here;
        break;
      }
      behind += here;
    }
    *a.results[0].as<Real>() = static_cast<Real>(low);
    *a.results[1].as<Real>() = static_cast<Real>(high);
  });
}

// Each bin counts as its middle.
template <class Real>
double squared_error(const Real* histogram, double low, double high, ir::Range range, bool symmetric) {
  const auto p = ir::affine_parameters(low, high, range, symmetric, false);
  double error = 0;
  for (std::int64_t bin = 0; bin < ir::histogram::bins; ++bin) {
    if (!(histogram[bin] > 0)) continue;
    const double x = (low_edge(bin) + high_edge(bin)) / 2;
    const double off = x - ir::dequantize(ir::quantize(x, p.scale, p.zero_point, range), p.scale, p.zero_point);
    error += static_cast<double>(histogram[bin]) * off * off;
  }
  return error;
}

void run_mse_range(const ir::Node& node, const Arguments& a) {
  constexpr int parts = 100;
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* histogram = a.operands[0].as<Real>();
    const Whole whole = whole_of(histogram);
    double best = std::numeric_limits<double>::infinity();
    double part = 1;
    for (int i = parts; i > 0 && whole.sum > 0; --i) {
      const double candidate = static_cast<double>(i) / parts;
      const double error =
          squared_error(histogram, candidate * whole.low, candidate * whole.high, range_of(node), node.attributes.boolean("symmetric"));
      if (error >= best) continue;
      best = error;
      part = candidate;
    }
    *a.results[0].as<Real>() = static_cast<Real>(part * whole.low);
    *a.results[1].as<Real>() = static_cast<Real>(part * whole.high);
  });
}

}  // namespace

void histogram(FunctionKernels& kernels) {
  kernels.add("observe_histogram", {run_observe_histogram});
  kernels.add("percentile_range", {run_percentile_range});
  kernels.add("mse_range", {run_mse_range});
}

}  // namespace stair::backends::reference
