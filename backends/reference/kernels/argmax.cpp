#include "backends/channels.h"
#include "backends/reference/kernel.h"

namespace stair::backends::reference {
namespace {

template <class T>
void argmax_along(const ChannelView& view, const Arguments& a) {
  auto* y = a.results[0].as<std::int32_t>();
  parallel_for(view.outer, a.threads, [&](std::int64_t outer, int) {
    for (std::int64_t inner = 0; inner < view.inner; ++inner) {
      const T* const x = a.operands[0].as<T>() + outer * view.channels * view.inner + inner;
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < view.channels; ++i) best = x[i * view.inner] > x[best * view.inner] ? i : best;
      y[outer * view.inner + inner] = static_cast<std::int32_t>(best);
    }
  });
}

void run_argmax(const ir::Node& node, const Arguments& a) {
  const ir::Type& x = a.operands[0].type;
  const ChannelView view(x.shape, node.attributes.integer("axis"));
  const auto run = [&]<class T>() { argmax_along<T>(view, a); };
  ir::is_float(x.dtype) ? for_real(x.dtype, run) : for_quantized(x.dtype, run);
}

}  // namespace

void argmax(FunctionKernels& kernels) {
  kernels.add("argmax", {run_argmax});
}

}  // namespace stair::backends::reference
