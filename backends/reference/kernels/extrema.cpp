#include <functional>

#include "backends/reference/kernel.h"
#include "ir/broadcast.h"

namespace stair::backends::reference {
namespace {

// For each element of the broadcast result: which of the operands from `first` on wins, and its value.
template <class T, class Wins, class Body>
void for_each_winner(const Arguments& a, std::size_t first, const ir::Shape& to, Wins&& wins, Body&& body) {
  const auto count = static_cast<std::size_t>(ir::element_count(to));
  std::vector<T> best(count);
  std::vector<std::size_t> winner(count, first);
  for (std::size_t operand = first; operand < a.operands.size(); ++operand) {
    const T* x = a.operands[operand].as<T>();
    ir::for_each_broadcast(a.operands[operand].type.shape, to, to, [&](std::int64_t from, std::int64_t, std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      if (operand > first && !wins(x[from], best[at])) return;
      best[at] = x[from];
      winner[at] = operand;
    });
  }
  for (std::size_t i = 0; i < count; ++i) body(static_cast<std::int64_t>(i), best[i], winner[i] - first);
}

template <template <class> class Wins>
void run_extremum(const ir::Node&, const Arguments& a) {
  const auto run = [&]<class T>() {
    T* y = a.results[0].as<T>();
    for_each_winner<T>(a, 0, a.results[0].type.shape, Wins<T>(), [&](std::int64_t i, T best, std::size_t) { y[i] = best; });
  };
  if (ir::is_float(a.operands[0].type.dtype)) return for_real(a.operands[0].type.dtype, run);
  for_quantized(a.operands[0].type.dtype, run);
}

template <template <class> class Wins>
void run_extremum_grad(const ir::Node& node, const Arguments& a) {
  const auto operand = static_cast<std::size_t>(node.attributes.integer("operand"));
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* won = a.results[0].as<Real>();
    for_each_winner<Real>(a, 1, a.results[0].type.shape, Wins<Real>(),
                          [&](std::int64_t i, Real, std::size_t winner) { won[i] = winner == operand ? dy[i] : Real{0}; });
  });
}

}  // namespace

void extrema(FunctionKernels& kernels) {
  kernels.add("minimum", {run_extremum<std::less>});
  kernels.add("minimum_grad", {run_extremum_grad<std::less>});
  kernels.add("maximum", {run_extremum<std::greater>});
  kernels.add("maximum_grad", {run_extremum_grad<std::greater>});
}

}  // namespace stair::backends::reference
