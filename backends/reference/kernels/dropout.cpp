#include "backends/reference/kernel.h"
#include "ir/random.h"

namespace stair::backends::reference {
namespace {

void run_dropout(const ir::Node& node, const Arguments& a) {
  const auto rate = static_cast<float>(node.attributes.number("rate"));
  const auto seed = static_cast<std::uint64_t>(node.attributes.integer("seed"));
  const auto stream = static_cast<std::uint64_t>(node.attributes.integer("stream"));
  const auto counter = static_cast<std::uint64_t>(*a.operands[1].as<std::int64_t>());
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real scale = Real{1} / (Real{1} - static_cast<Real>(rate));
    const Real* x = a.operands[0].as<Real>();
    auto* mask = a.results[1].as<std::uint8_t>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      mask[i] = ir::random_uniform(seed, stream, counter, static_cast<std::uint64_t>(i)) >= rate ? 1 : 0;
      a.results[0].as<Real>()[i] = mask[i] != 0 ? x[i] * scale : Real{0};
    }
  });
  *a.results[2].as<std::int64_t>() = static_cast<std::int64_t>(counter + 1);
}

void run_dropout_grad(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real scale = Real{1} / (Real{1} - static_cast<Real>(static_cast<float>(node.attributes.number("rate"))));
    const auto* mask = a.operands[1].as<std::uint8_t>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i)
      a.results[0].as<Real>()[i] = mask[i] != 0 ? a.operands[0].as<Real>()[i] * scale : Real{0};
  });
}

}  // namespace

void dropout(FunctionKernels& kernels) {
  kernels.add("dropout", {run_dropout});
  kernels.add("dropout_grad", {run_dropout_grad});
}

}  // namespace stair::backends::reference
