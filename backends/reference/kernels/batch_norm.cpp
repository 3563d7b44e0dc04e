#include <cmath>

#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// Calls body(element) for each element of channel c.
template <class Body>
void for_channel(const ChannelView& view, std::int64_t c, Body&& body) {
  for (std::int64_t outer = 0; outer < view.outer; ++outer) {
    const std::int64_t first = (outer * view.channels + c) * view.inner;
    for (std::int64_t i = first; i < first + view.inner; ++i) body(i);
  }
}

// Mean and biased variance of a channel, in two passes over sums of doubles.
template <class Real>
void statistics(const ChannelView& view, const Real* x, std::int64_t c, Real& mean, Real& variance) {
  const auto n = static_cast<double>(view.outer * view.inner);
  double sum = 0;
  for_channel(view, c, [&](std::int64_t i) { sum += static_cast<double>(x[i]); });
  const double centre = sum / n;
  double squares = 0;
  for_channel(view, c, [&](std::int64_t i) { squares += (static_cast<double>(x[i]) - centre) * (static_cast<double>(x[i]) - centre); });
  mean = static_cast<Real>(centre);
  variance = static_cast<Real>(squares / n);
}

void run_batch_norm(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const ChannelView view(a.operands[0].type.shape, 1);
    const auto eps = static_cast<Real>(node.attributes.number("eps"));
    const auto momentum = static_cast<Real>(node.attributes.number("momentum"));
    const auto rest = static_cast<Real>(1 - node.attributes.number("momentum"));
    const std::int64_t n = view.outer * view.inner;
    const Real unbias = n > 1 ? static_cast<Real>(n) / static_cast<Real>(n - 1) : Real{1};
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    parallel_for(view.channels, a.threads, [&](std::int64_t c, int) {
      Real mean = 0;
      Real variance = 0;
      statistics(view, x, c, mean, variance);
      const Real inv_std = Real{1} / std::sqrt(variance + eps);
      const Real gamma = a.operands[1].as<Real>()[c];
      const Real beta = a.operands[2].as<Real>()[c];
      const Real scale = gamma * inv_std;
      for_channel(view, c, [&](std::int64_t i) { y[i] = (x[i] - mean) * scale + beta; });
      a.results[1].as<Real>()[c] = rest * a.operands[3].as<Real>()[c] + momentum * mean;
      a.results[2].as<Real>()[c] = rest * a.operands[4].as<Real>()[c] + momentum * (unbias * variance);
      a.results[3].as<Real>()[c] = mean;
      a.results[4].as<Real>()[c] = inv_std;
    });
  });
}

// dx = gamma inv_std (dy - mean(dy) - xhat mean(dy xhat)), dgamma = sum dy xhat, dbeta = sum dy (Ioffe, Szegedy 2015, section 3)
void run_batch_norm_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const ChannelView view(a.operands[0].type.shape, 1);
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    const auto n = static_cast<double>(view.outer * view.inner);
    parallel_for(view.channels, a.threads, [&](std::int64_t c, int) {
      const Real mean = a.operands[3].as<Real>()[c];
      const Real inv_std = a.operands[4].as<Real>()[c];
      double sum = 0;
      double product = 0;
      for_channel(view, c, [&](std::int64_t i) {
        sum += static_cast<double>(dy[i]);
        product += static_cast<double>(dy[i]) * static_cast<double>((x[i] - mean) * inv_std);
      });
      a.results[1].as<Real>()[c] = static_cast<Real>(product);
      a.results[2].as<Real>()[c] = static_cast<Real>(sum);
      const auto mean_dy = static_cast<Real>(sum / n);
      const auto mean_product = static_cast<Real>(product / n);
      const Real scale = a.operands[2].as<Real>()[c] * inv_std;
      for_channel(view, c, [&](std::int64_t i) { dx[i] = scale * (dy[i] - mean_dy - (x[i] - mean) * inv_std * mean_product); });
    });
  });
}

void run_inference(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto eps = static_cast<Real>(node.attributes.number("eps"));
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    const ChannelView view(a.operands[0].type.shape, 1);
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real factor = a.operands[1].as<Real>()[c] / std::sqrt(a.operands[4].as<Real>()[c] + eps);
      const Real beta = a.operands[2].as<Real>()[c];
      const Real mean = a.operands[3].as<Real>()[c];
      for (std::int64_t i = first; i < last; ++i) y[i] = (x[i] - mean) * factor + beta;
    });
  });
}

void run_inference_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto eps = static_cast<Real>(node.attributes.number("eps"));
    const ChannelView view(a.operands[0].type.shape, 1);
    const Real* dy = a.operands[0].as<Real>();
    const Real* x = a.operands[1].as<Real>();
    Real* dx = a.results[0].as<Real>();
    parallel_for(view.channels, a.threads, [&](std::int64_t c, int) {
      const Real inv_std = Real{1} / std::sqrt(a.operands[4].as<Real>()[c] + eps);
      const Real factor = a.operands[2].as<Real>()[c] * inv_std;
      const Real mean = a.operands[3].as<Real>()[c];
      double sum = 0;
      double product = 0;
      for_channel(view, c, [&](std::int64_t i) {
        sum += static_cast<double>(dy[i]);
        product += static_cast<double>(dy[i]) * static_cast<double>((x[i] - mean) * inv_std);
        dx[i] = dy[i] * factor;
      });
      a.results[1].as<Real>()[c] = static_cast<Real>(product);
      a.results[2].as<Real>()[c] = static_cast<Real>(sum);
    });
  });
}

void run_statistics(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const ChannelView view(a.operands[0].type.shape, 1);
    parallel_for(view.channels, a.threads, [&](std::int64_t c, int) {
      statistics(view, a.operands[0].as<Real>(), c, a.results[0].as<Real>()[c], a.results[1].as<Real>()[c]);
    });
  });
}

void run_statistics_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const ChannelView view(a.operands[0].type.shape, 1);
    const auto n = static_cast<Real>(view.outer * view.inner);
    const Real* x = a.operands[0].as<Real>();
    Real* dx = a.results[0].as<Real>();
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real mean = a.operands[1].as<Real>()[c];
      const Real dmean = a.has(2) ? a.operands[2].as<Real>()[c] / n : Real{0};
      const Real dvar = a.has(3) ? Real{2} * a.operands[3].as<Real>()[c] / n : Real{0};
      for (std::int64_t i = first; i < last; ++i) dx[i] = dmean + (x[i] - mean) * dvar;
    });
  });
}

void run_exponential_moving_average(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto momentum = static_cast<Real>(node.attributes.number("momentum"));
    const auto rest = static_cast<Real>(1 - node.attributes.number("momentum"));
    const auto correction = static_cast<Real>(node.attributes.number("correction"));
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      a.results[0].as<Real>()[i] = rest * a.operands[0].as<Real>()[i] + momentum * (correction * a.operands[1].as<Real>()[i]);
    }
  });
}

void run_standard_deviation(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto eps = static_cast<Real>(node.attributes.number("eps"));
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) a.results[0].as<Real>()[i] = std::sqrt(a.operands[0].as<Real>()[i] + eps);
  });
}

void run_channel_affine(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    const ChannelView view(a.operands[0].type.shape, 1);
    view.for_each(a.threads, [&](std::int64_t c, std::int64_t first, std::int64_t last) {
      const Real scale = a.has(1) ? a.operands[1].as<Real>()[c] : Real{1};
      const Real shift = a.has(2) ? a.operands[2].as<Real>()[c] : Real{0};
      for (std::int64_t i = first; i < last; ++i) y[i] = x[i] * scale + shift;
    });
  });
}

}  // namespace

void batch_norm(FunctionKernels& kernels) {
  kernels.add("batch_norm", {run_batch_norm});
  kernels.add("batch_norm_grad", {run_batch_norm_grad});
  kernels.add("batch_norm_inference", {run_inference});
  kernels.add("batch_norm_inference_grad", {run_inference_grad});
  kernels.add("batch_statistics", {run_statistics});
  kernels.add("batch_statistics_grad", {run_statistics_grad});
  kernels.add("exponential_moving_average", {run_exponential_moving_average});
  kernels.add("standard_deviation", {run_standard_deviation});
  kernels.add("channel_affine", {run_channel_affine});
}

}  // namespace stair::backends::reference
