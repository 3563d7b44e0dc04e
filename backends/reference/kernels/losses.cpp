#include <algorithm>
#include <cmath>
#include <string>

#include "backends/reference/kernel.h"
#include "ir/scalar_functions.h"

namespace stair::backends::reference {
namespace {

// Logits [N, classes, ...]: those of one label are `area` elements apart.
struct Classes {
  explicit Classes(const ir::TensorView& logits) : classes(logits.dim(1)), labels(logits.count() / classes), area(labels / logits.dim(0)) {}
  /// Where the logits of label i begin.
  std::int64_t first(std::int64_t i) const { return i / area * classes * area + i % area; }

  std::int64_t classes, labels, area;
};

template <class Real>
std::int64_t largest(const Real* logits, const Classes& k) {
  std::int64_t best = 0;
  for (std::int64_t c = 1; c < k.classes; ++c) best = logits[best * k.area] < logits[c * k.area] ? c : best;
  return best;
}

// log(sum of exp(logits)), by the largest of them.
template <class Real>
Real log_sum_exp(const Real* logits, const Classes& k) {
  const Real most = logits[largest(logits, k) * k.area];
  Real sum = 0;
  for (std::int64_t c = 0; c < k.classes; ++c) sum += std::exp(logits[c * k.area] - most);
  return most + std::log(sum);
}

// What the label asks of a class: 1 or 0, of which a share is spread over all classes; and how much the label counts.
class Target {
 public:
  Target(const ir::Node& node, std::int64_t classes)
      : spread_(node.attributes.number("label_smoothing") / static_cast<double>(classes)),
        hit_(1 - node.attributes.number("label_smoothing") + spread_),
        weights_(node.attributes.numbers("class_weights")) {}
  double of(std::int64_t c, std::int32_t label) const { return (c == label ? hit_ : spread_) * weight(label); }
  // A label that no class has counts nothing.
  double weight(std::int32_t label) const {
    if (weights_.empty()) return 1;
    return label >= 0 && static_cast<std::size_t>(label) < weights_.size() ? weights_[static_cast<std::size_t>(label)] : 0;
  }

 private:
  double spread_, hit_;
  const std::vector<double>& weights_;
};

void run_cross_entropy(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[0]);
    const Target target(node, k.classes);
    Real loss = 0;
    for (std::int64_t i = 0; i < k.labels; ++i) {
      const Real* logits = a.operands[0].as<Real>() + k.first(i);
      const Real normal = log_sum_exp(logits, k);
      for (std::int64_t c = 0; c < k.classes; ++c)
        loss -= static_cast<Real>(target.of(c, a.operands[1].as<std::int32_t>()[i])) * (logits[c * k.area] - normal);
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(k.labels);
  });
}

void run_cross_entropy_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[1]);
    const Target target(node, k.classes);
    const Real factor = *a.operands[0].as<Real>() / static_cast<Real>(k.labels);
    for (std::int64_t i = 0; i < k.labels; ++i) {
      const Real* logits = a.operands[1].as<Real>() + k.first(i);
      const std::int32_t label = a.operands[2].as<std::int32_t>()[i];
      const auto weight = static_cast<Real>(target.weight(label));
      const Real normal = log_sum_exp(logits, k);
      for (std::int64_t c = 0; c < k.classes; ++c) {
        a.results[0].as<Real>()[k.first(i) + c * k.area] =
            (weight * std::exp(logits[c * k.area] - normal) - static_cast<Real>(target.of(c, label))) * factor;
      }
    }
  });
}

// +1 for the class of the label, else -1.
template <class Real>
Real side(std::int64_t c, std::int32_t label) {
  return c == label ? Real{1} : Real{-1};
}

void run_squared_hinge(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[0]);
    Real loss = 0;
    for (std::int64_t i = 0; i < k.labels; ++i) {
      for (std::int64_t c = 0; c < k.classes; ++c) {
        const Real t = side<Real>(c, a.operands[1].as<std::int32_t>()[i]);
        const Real margin = std::max(Real{0}, Real{1} - t * a.operands[0].as<Real>()[k.first(i) + c * k.area]);
        loss += margin * margin;
      }
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(k.labels);
  });
}

void run_squared_hinge_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[1]);
    const Real factor = Real{-2} * *a.operands[0].as<Real>() / static_cast<Real>(k.labels);
    for (std::int64_t i = 0; i < k.labels; ++i) {
      for (std::int64_t c = 0; c < k.classes; ++c) {
        const std::int64_t at = k.first(i) + c * k.area;
        const Real t = side<Real>(c, a.operands[2].as<std::int32_t>()[i]);
        a.results[0].as<Real>()[at] = factor * t * std::max(Real{0}, Real{1} - t * a.operands[1].as<Real>()[at]);
      }
    }
  });
}

// The softmax of a label's logits divided by a temperature, class by class.
template <class Real>
class Softened {
 public:
  Softened(const Real* logits, const Classes& k, Real temperature) : logits_(logits), area_(k.area), temperature_(temperature) {
    const Real most = logits[largest(logits, k) * k.area] / temperature;
    Real sum = 0;
    for (std::int64_t c = 0; c < k.classes; ++c) sum += std::exp(logits[c * k.area] / temperature - most);
    normal_ = most + std::log(sum);
  }
  Real log(std::int64_t c) const { return logits_[c * area_] / temperature_ - normal_; }
  Real operator[](std::int64_t c) const { return std::exp(log(c)); }

 private:
  const Real* logits_;
  std::int64_t area_;
  Real temperature_, normal_;
};

void run_distillation(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[0]);
    const auto temperature = static_cast<Real>(node.attributes.number("temperature"));
    const auto share = static_cast<Real>(node.attributes.number("share"));
    Real loss = 0;
    for (std::int64_t i = 0; i < k.labels; ++i) {
      const Real* const logits = a.operands[0].as<Real>() + k.first(i);
      const Softened<Real> own(logits, k, temperature);
      const Softened<Real> teacher(a.operands[2].as<Real>() + k.first(i), k, temperature);
      const Softened<Real> hard(logits, k, Real{1});
      Real divergence = 0;
      Real of_label = 0;
      for (std::int64_t c = 0; c < k.classes; ++c) {
        divergence += teacher[c] * (teacher.log(c) - own.log(c));
        if (c == a.operands[1].as<std::int32_t>()[i]) of_label -= hard.log(c);
      }
      loss += share * temperature * temperature * divergence + (Real{1} - share) * of_label;
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(k.labels);
  });
}

void run_distillation_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[1]);
    const auto temperature = static_cast<Real>(node.attributes.number("temperature"));
    const auto share = static_cast<Real>(node.attributes.number("share"));
    const Real factor = *a.operands[0].as<Real>() / static_cast<Real>(k.labels);
    for (std::int64_t i = 0; i < k.labels; ++i) {
      const Real* const logits = a.operands[1].as<Real>() + k.first(i);
      const Softened<Real> own(logits, k, temperature);
      const Softened<Real> teacher(a.operands[3].as<Real>() + k.first(i), k, temperature);
      const Softened<Real> hard(logits, k, Real{1});
      for (std::int64_t c = 0; c < k.classes; ++c) {
        const Real at_label = c == a.operands[2].as<std::int32_t>()[i] ? Real{1} : Real{0};
        a.results[0].as<Real>()[k.first(i) + c * k.area] =
            (share * temperature * (own[c] - teacher[c]) + (Real{1} - share) * (hard[c] - at_label)) * factor;
      }
    }
  });
}

void run_correct_count(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Classes k(a.operands[0]);
    std::int32_t correct = 0;
    for (std::int64_t i = 0; i < k.labels; ++i)
      correct += largest(a.operands[0].as<Real>() + k.first(i), k) == a.operands[1].as<std::int32_t>()[i] ? 1 : 0;
    *a.results[0].as<std::int32_t>() = correct;
  });
}

// Losses element by element: what one adds, and its derivative by x.

struct SquaredError {
  explicit SquaredError(const ir::Node&) {}
  template <class Real>
  Real value(Real x, Real target) const {
    return (x - target) * (x - target);
  }
  template <class Real>
  Real slope(Real x, Real target) const {
    return Real{2} * (x - target);
  }
};

struct AbsoluteError {
  explicit AbsoluteError(const ir::Node&) {}
  template <class Real>
  Real value(Real x, Real target) const {
    return std::abs(x - target);
  }
  template <class Real>
  Real slope(Real x, Real target) const {
    return x > target ? Real{1} : x < target ? Real{-1} : Real{0};
  }
};

struct Huber {
  explicit Huber(const ir::Node& node) : delta(node.attributes.number("delta")) {}
  template <class Real>
  Real value(Real x, Real target) const {
    const auto most = static_cast<Real>(delta);
    const Real d = std::abs(x - target);
    return d <= most ? d * d / 2 : most * (d - most / 2);
  }
  template <class Real>
  Real slope(Real x, Real target) const {
    const auto most = static_cast<Real>(delta);
    return std::clamp(x - target, -most, most);
  }

  double delta;
};

struct BinaryCrossEntropy {
  explicit BinaryCrossEntropy(const ir::Node&) {}
  template <class Real>
  Real value(Real x, Real target) const {
    return ir::softplus_of(x) - x * target;
  }
  template <class Real>
  Real slope(Real x, Real target) const {
    return ir::sigmoid_of(x) - target;
  }
};

template <class Loss>
void run_mean(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Loss of(node);
    Real loss = 0;
    for (std::int64_t i = 0; i < a.operands[0].count(); ++i) loss += of.value(a.operands[0].as<Real>()[i], a.operands[1].as<Real>()[i]);
    *a.results[0].as<Real>() = loss / static_cast<Real>(a.operands[0].count());
  });
}

template <class Loss>
void run_mean_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const Real factor = *a.operands[0].as<Real>() / static_cast<Real>(a.operands[1].count());
    const Loss of(node);
    for (std::int64_t i = 0; i < a.results[0].count(); ++i)
      a.results[0].as<Real>()[i] = of.slope(a.operands[1].as<Real>()[i], a.operands[2].as<Real>()[i]) * factor;
  });
}

template <class Loss>
void add_mean(FunctionKernels& kernels, const std::string& name) {
  kernels.add(name, {run_mean<Loss>});
  kernels.add(name + "_grad", {run_mean_grad<Loss>});
}

void run_weighted_sum(const ir::Node& node, const Arguments& a) {
  const std::vector<double>& weights = node.attributes.numbers("weights");
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    Real sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) sum += static_cast<Real>(weights[i]) * *a.operands[i].as<Real>();
    *a.results[0].as<Real>() = sum;
  });
}

}  // namespace

void losses(FunctionKernels& kernels) {
  kernels.add("cross_entropy", {run_cross_entropy});
  kernels.add("cross_entropy_grad", {run_cross_entropy_grad});
  kernels.add("squared_hinge", {run_squared_hinge});
  kernels.add("squared_hinge_grad", {run_squared_hinge_grad});
  kernels.add("distillation", {run_distillation});
  kernels.add("distillation_grad", {run_distillation_grad});
  kernels.add("correct_count", {run_correct_count});
  kernels.add("weighted_sum", {run_weighted_sum});
  add_mean<SquaredError>(kernels, "mean_squared_error");
  add_mean<AbsoluteError>(kernels, "mean_absolute_error");
  add_mean<Huber>(kernels, "huber");
  add_mean<BinaryCrossEntropy>(kernels, "binary_cross_entropy");
}

}  // namespace stair::backends::reference
