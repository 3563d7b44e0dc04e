#include "backends/reference/kernel.h"
#include "ir/ternary.h"

namespace stair::backends::reference {
namespace {

// N-TERNARY. take(i, integer, scale) for each weight, scale_of(channel, scale) for each channel.
template <class Real, class Take, class ScaleOf>
void ternarize_into(const ir::Node& node, const Arguments& a, const Take& take, const ScaleOf& scale_of) {
  const Real* w = a.operands[0].as<Real>();
  const std::int64_t channels = node.attributes.boolean("per_channel") ? a.operands[0].type.shape[0] : 1;
  const std::int64_t length = a.operands[0].count() / channels;
  for (std::int64_t c = 0; c < channels; ++c) {
    const ir::Ternary<Real> ternary = ir::ternary_of(w + c * length, length);
    scale_of(c, ternary.scale);
    for (std::int64_t i = c * length; i < (c + 1) * length; ++i) take(i, ternary(w[i]), ternary.scale);
  }
}

void run_ternarize(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    ternarize_into<Real>(
        node, a, [&](std::int64_t i, std::int8_t q, Real) { a.results[0].as<std::int8_t>()[i] = q; },
        [&](std::int64_t c, Real scale) { a.results[1].as<Real>()[c] = scale; });
  });
}

void run_fake_ternarize(const ir::Node& node, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    ternarize_into<Real>(
        node, a, [&](std::int64_t i, std::int8_t q, Real scale) { a.results[0].as<Real>()[i] = static_cast<Real>(q) * scale; },
        [](std::int64_t, Real) {});
  });
}

}  // namespace

void ternarize(FunctionKernels& kernels) {
  kernels.add("ternarize", {run_ternarize});
  kernels.add("fake_ternarize", {run_fake_ternarize});
}

}  // namespace stair::backends::reference
