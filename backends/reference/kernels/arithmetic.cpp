#include "backends/reference/kernel.h"
#include "ir/broadcast.h"

namespace stair::backends::reference {
namespace {

template <class Op>
void run_arithmetic(const ir::Node&, const Arguments& arguments) {
  for_real(arguments.operands[0].type.dtype, [&]<class Real>() {
    const Real* a = arguments.operands[0].as<Real>();
    const Real* b = arguments.operands[1].as<Real>();
    Real* y = arguments.results[0].as<Real>();
    ir::for_each_broadcast(arguments.operands[0].type.shape, arguments.operands[1].type.shape, arguments.results[0].type.shape,
                           [&](std::int64_t ia, std::int64_t ib, std::int64_t i) { y[i] = Op()(a[ia], b[ib]); });
  });
}

struct Add {
  template <class Real>
  Real operator()(Real a, Real b) const {
    return a + b;
  }
};
struct Sub {
  template <class Real>
  Real operator()(Real a, Real b) const {
    return a - b;
  }
};
struct Mul {
  template <class Real>
  Real operator()(Real a, Real b) const {
    return a * b;
  }
};
struct Div {
  template <class Real>
  Real operator()(Real a, Real b) const {
    return a / b;
  }
};

}  // namespace

void arithmetic(FunctionKernels& kernels) {
  kernels.add("add", {run_arithmetic<Add>});
  kernels.add("sub", {run_arithmetic<Sub>});
  kernels.add("mul", {run_arithmetic<Mul>});
  kernels.add("div", {run_arithmetic<Div>});
}

}  // namespace stair::backends::reference
