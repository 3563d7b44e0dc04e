#include <algorithm>

#include "backends/reference/kernel.h"
#include "backends/reference/reduction.h"
#include "ir/broadcast.h"

namespace stair::backends::reference {
namespace {

void run_sum(const ir::Node& node, const Arguments& a) {
  const std::vector<std::int64_t> targets = reduction_targets(node.attributes, a.operands[0].type.shape);
  const bool mean = node.op->name == "reduce_mean";
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    std::fill(y, y + a.results[0].count(), Real{0});
    for (std::size_t i = 0; i < targets.size(); ++i) y[targets[i]] += x[i];
    if (!mean) return;
    const auto n = static_cast<Real>(a.operands[0].count() / a.results[0].count());
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] /= n;
  });
}

// For each result the input element that is the first of the largest.
template <class T>
std::vector<std::int64_t> first_largest(const std::vector<std::int64_t>& targets, const T* x, std::int64_t results) {
  std::vector<std::int64_t> winner(static_cast<std::size_t>(results), -1);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    std::int64_t& best = winner[static_cast<std::size_t>(targets[i])];
    if (best < 0 || x[i] > x[best]) best = static_cast<std::int64_t>(i);
  }
  return winner;
}

template <class T>
void reduce_max(const ir::Node& node, const Arguments& a) {
  const std::vector<std::int64_t> targets = reduction_targets(node.attributes, a.operands[0].type.shape);
  const std::vector<std::int64_t> winner = first_largest(targets, a.operands[0].as<T>(), a.results[0].count());
  for (std::size_t i = 0; i < winner.size(); ++i) a.results[0].as<T>()[i] = a.operands[0].as<T>()[winner[i]];
}

void run_max(const ir::Node& node, const Arguments& a) {
  switch (a.operands[0].type.dtype) {
    case ir::DType::u8:
      return reduce_max<std::uint8_t>(node, a);
    case ir::DType::s8:
      return reduce_max<std::int8_t>(node, a);
    default:
      for_real(a.operands[0].type.dtype, [&]<class Real>() { reduce_max<Real>(node, a); });
  }
}

void run_max_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::vector<std::int64_t> targets = reduction_targets(node.attributes, a.operands[1].type.shape);
    const std::vector<std::int64_t> winner = first_largest(targets, a.operands[1].as<Real>(), a.operands[0].count());
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    for (std::size_t i = 0; i < winner.size(); ++i) dx[winner[i]] = a.operands[0].as<Real>()[i];
  });
}

void run_broadcast(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    ir::for_each_broadcast(
        a.operands[0].type.shape, a.results[0].type.shape, a.results[0].type.shape,
        [&](std::int64_t ix, std::int64_t, std::int64_t i) { a.results[0].as<Real>()[i] = a.operands[0].as<Real>()[ix]; });
  });
}

}  // namespace

void reductions(FunctionKernels& kernels) {
  kernels.add("reduce_sum", {run_sum});
  kernels.add("reduce_mean", {run_sum});
  kernels.add("reduce_max", {run_max});
  kernels.add("reduce_max_grad", {run_max_grad});
  kernels.add("broadcast", {run_broadcast});
}

}  // namespace stair::backends::reference
