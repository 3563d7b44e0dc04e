#include <algorithm>
#include <cmath>
#include <numbers>

#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

void run_sgd(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto decay = static_cast<Real>(node.attributes.number("weight_decay"));
    const Real rate = *a.operands[2].as<Real>();
    const Real* w = a.operands[0].as<Real>();
    const Real* g = a.operands[1].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) a.results[0].as<Real>()[i] = w[i] - rate * (g[i] + decay * w[i]);
  });
}

void run_sgd_momentum(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto decay = static_cast<Real>(node.attributes.number("weight_decay"));
    const auto momentum = static_cast<Real>(node.attributes.number("momentum"));
    const bool nesterov = node.attributes.boolean("nesterov");
    const Real rate = *a.operands[2].as<Real>();
    const Real* w = a.operands[0].as<Real>();
    const Real* g = a.operands[1].as<Real>();
    const Real* v = a.operands[3].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      const Real gradient = g[i] + decay * w[i];
      const Real velocity = momentum * v[i] + gradient;
      a.results[0].as<Real>()[i] = w[i] - rate * (nesterov ? gradient + momentum * velocity : velocity);
      a.results[1].as<Real>()[i] = velocity;
    }
  });
}

void run_weight_average(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const auto t = static_cast<double>(*a.operands[2].as<std::int64_t>()) + 1;
    const auto share = static_cast<Real>(1 - std::min(node.attributes.number("decay"), (1 + t) / (10 + t)));
    const Real* running = a.operands[0].as<Real>();
    const Real* w = a.operands[1].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) a.results[0].as<Real>()[i] = running[i] + share * (w[i] - running[i]);
  });
}

void run_adam(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const double beta1 = node.attributes.number("beta1");
    const double beta2 = node.attributes.number("beta2");
    const auto eps = static_cast<Real>(node.attributes.number("eps"));
    const auto decay = static_cast<Real>(node.attributes.number("weight_decay"));
    const bool decoupled = node.attributes.boolean("decoupled");
    const Real rate = *a.operands[2].as<Real>();
    const auto t = static_cast<double>(*a.operands[5].as<std::int64_t>()) + 1;
    const auto correction1 = static_cast<Real>(1 - std::pow(beta1, t));
    const auto correction2 = static_cast<Real>(std::sqrt(1 - std::pow(beta2, t)));
    const auto b1 = static_cast<Real>(beta1);
    const auto b2 = static_cast<Real>(beta2);
    const auto rest1 = static_cast<Real>(1 - beta1);
    const auto rest2 = static_cast<Real>(1 - beta2);
    const Real* w = a.operands[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      const Real gradient = a.operands[1].as<Real>()[i] + (decoupled ? Real{0} : decay * w[i]);
      const Real kept = decoupled ? w[i] - rate * decay * w[i] : w[i];
      const Real m = b1 * a.operands[3].as<Real>()[i] + rest1 * gradient;
      const Real v = b2 * a.operands[4].as<Real>()[i] + rest2 * gradient * gradient;
      a.results[0].as<Real>()[i] = kept - rate / correction1 * m / (std::sqrt(v) / correction2 + eps);
      a.results[1].as<Real>()[i] = m;
      a.results[2].as<Real>()[i] = v;
    }
  });
}

void run_clip_norm_factor(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    double squares = 0;
    for (const ir::TensorView& gradient : a.operands) {
      for (std::int64_t i = 0; i < gradient.count(); ++i) {
        squares += static_cast<double>(gradient.as<Real>()[i]) * static_cast<double>(gradient.as<Real>()[i]);
      }
    }
    const double norm = std::sqrt(squares);
    const double max_norm = node.attributes.number("max_norm");
    *a.results[0].as<Real>() = static_cast<Real>(norm > max_norm ? max_norm / norm : 1.0);
  });
}

void run_increment(const ir::Node&, const Arguments& a) {
  const std::int64_t by = a.has(1) ? *a.operands[1].as<std::int64_t>() : 1;
  *a.results[0].as<std::uint64_t>() = *a.operands[0].as<std::uint64_t>() + static_cast<std::uint64_t>(by);
}

void run_learning_rate(const ir::Node& node, const Arguments& a) {
  const std::string& kind = node.attributes.text("kind");
  const double base = node.attributes.number("base");
  const auto step = static_cast<double>(*a.operands[0].as<std::int64_t>());
  const auto warmup = static_cast<double>(node.attributes.integer("warmup_steps"));
  const auto step_size = static_cast<double>(node.attributes.integer("step_size"));
  const double t = step - warmup;
  double rate = base;
  if (t < 0) {
    rate = base * (step + 1) / warmup;
  } else if (kind == "step") {
    rate = base * std::pow(node.attributes.number("gamma"), std::floor(t / step_size));
  } else if (kind == "exponential") {
    rate = base * std::pow(node.attributes.number("gamma"), t / step_size);
  } else if (kind == "cosine") {
    const double last = node.attributes.number("final");
    const double total = std::max(1.0, static_cast<double>(node.attributes.integer("total_steps")) - warmup);
    rate = last + (base - last) * (1 + std::cos(std::numbers::pi * std::min(1.0, t / total))) / 2;
  }
  *a.results[0].as<float>() = static_cast<float>(rate);
}

}  // namespace

void optimizers(FunctionKernels& kernels) {
  kernels.add("sgd", {run_sgd});
  kernels.add("sgd_momentum", {run_sgd_momentum});
  kernels.add("adam", {run_adam});
  kernels.add("weight_average", {run_weight_average});
  kernels.add("clip_norm_factor", {run_clip_norm_factor});
  kernels.add("increment", {run_increment});
  kernels.add("learning_rate", {run_learning_rate});
}

}  // namespace stair::backends::reference
