#include <algorithm>
#include <cmath>

#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

// log(sum of exp(row)), by its largest element.
template <class Real>
Real log_sum_exp(const Real* row, std::int64_t classes) {
  const Real largest = *std::max_element(row, row + classes);
  Real sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) sum += std::exp(row[c] - largest);
  return largest + std::log(sum);
}

// What the label asks of a class: 1 or 0, of which a share is spread over all classes.
class Target {
 public:
  Target(const ir::Node& node, std::int64_t classes)
      : spread_(node.attributes.number("label_smoothing") / static_cast<double>(classes)),
        hit_(1 - node.attributes.number("label_smoothing") + spread_) {}
  double of(std::int64_t c, std::int32_t label) const { return c == label ? hit_ : spread_; }

 private:
  double spread_, hit_;
};

void run_cross_entropy(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t n = a.operands[0].dim(0);
    const std::int64_t classes = a.operands[0].dim(1);
    const Target target(node, classes);
    Real loss = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const Real* row = a.operands[0].as<Real>() + i * classes;
      const Real normal = log_sum_exp(row, classes);
      for (std::int64_t c = 0; c < classes; ++c)
        loss -= static_cast<Real>(target.of(c, a.operands[1].as<std::int32_t>()[i])) * (row[c] - normal);
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(n);
  });
}

void run_cross_entropy_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const std::int64_t n = a.operands[1].dim(0);
    const std::int64_t classes = a.operands[1].dim(1);
    const Target target(node, classes);
    const Real factor = *a.operands[0].as<Real>() / static_cast<Real>(n);
    for (std::int64_t i = 0; i < n; ++i) {
      const Real* row = a.operands[1].as<Real>() + i * classes;
      const Real normal = log_sum_exp(row, classes);
      for (std::int64_t c = 0; c < classes; ++c) {
        a.results[0].as<Real>()[i * classes + c] =
            (std::exp(row[c] - normal) - static_cast<Real>(target.of(c, a.operands[2].as<std::int32_t>()[i]))) * factor;
      }
    }
  });
}

void run_squared_hinge(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t n = a.operands[0].dim(0);
    const std::int64_t classes = a.operands[0].dim(1);
    Real loss = 0;
    for (std::int64_t i = 0; i < n * classes; ++i) {
      const Real t = i % classes == a.operands[1].as<std::int32_t>()[i / classes] ? Real{1} : Real{-1};
      const Real margin = std::max(Real{0}, Real{1} - t * a.operands[0].as<Real>()[i]);
      loss += margin * margin;
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(n);
  });
}

void run_squared_hinge_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const std::int64_t n = a.operands[1].dim(0);
    const std::int64_t classes = a.operands[1].dim(1);
    const Real factor = Real{-2} * *a.operands[0].as<Real>() / static_cast<Real>(n);
    for (std::int64_t i = 0; i < n * classes; ++i) {
      const Real t = i % classes == a.operands[2].as<std::int32_t>()[i / classes] ? Real{1} : Real{-1};
      a.results[0].as<Real>()[i] = factor * t * std::max(Real{0}, Real{1} - t * a.operands[1].as<Real>()[i]);
    }
  });
}

void run_mean_squared_error(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    Real loss = 0;
    for (std::int64_t i = 0; i < a.operands[0].count(); ++i) {
      const Real d = a.operands[0].as<Real>()[i] - a.operands[1].as<Real>()[i];
      loss += d * d;
    }
    *a.results[0].as<Real>() = loss / static_cast<Real>(a.operands[0].count());
  });
}

void run_mean_squared_error_grad(const ir::Node&, const Arguments& a) {
  for_real(a.operands[1].type.dtype, [&]<class Real>() {
    const Real factor = Real{2} * *a.operands[0].as<Real>() / static_cast<Real>(a.operands[1].count());
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      a.results[0].as<Real>()[i] = (a.operands[1].as<Real>()[i] - a.operands[2].as<Real>()[i]) * factor;
    }
  });
}

void run_correct_count(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t classes = a.operands[0].dim(1);
    std::int32_t correct = 0;
    for (std::int64_t i = 0; i < a.operands[0].dim(0); ++i) {
      const Real* row = a.operands[0].as<Real>() + i * classes;
      correct += std::max_element(row, row + classes) - row == a.operands[1].as<std::int32_t>()[i] ? 1 : 0;
    }
    *a.results[0].as<std::int32_t>() = correct;
  });
}

}  // namespace

void losses(FunctionKernels& kernels) {
  kernels.add("cross_entropy", {run_cross_entropy});
  kernels.add("cross_entropy_grad", {run_cross_entropy_grad});
  kernels.add("squared_hinge", {run_squared_hinge});
  kernels.add("squared_hinge_grad", {run_squared_hinge_grad});
  kernels.add("mean_squared_error", {run_mean_squared_error});
  kernels.add("mean_squared_error_grad", {run_mean_squared_error_grad});
  kernels.add("correct_count", {run_correct_count});
}

}  // namespace stair::backends::reference
