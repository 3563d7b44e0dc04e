#include <string>

#include "backends/int8/node_kernels.h"
#include "backends/int8/parallel_for.h"
#include "backends/int8/variant_kernel.h"

namespace stair::backends::int8 {
namespace {

// N-POINT of one operand
class LookupKernel : public VariantKernel {
 public:
  explicit LookupKernel(const Kernels& kernels) : VariantKernel(kernels, "lookup") {}

  void run(const Arguments& a) override {
    const auto* q = a.operands[0].as<const std::uint8_t>();
    const auto* table = a.operands[1].as<const std::uint8_t>();
    auto* y = a.results[0].as<std::uint8_t>();
    const std::uint8_t flip = a.operands[0].type.dtype == ir::DType::s8 ? 0x80 : 0;  // the table of signed integers begins at -128
    for_elements(a.operands[0].count(), a.threads,
                 [&](std::int64_t first, std::int64_t last) { kernels_.lookup(table, flip, q + first, y + first, last - first); });
  }
};

Answer accepts_lookup(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_lookup(const Kernels& kernels, const ir::Graph&, std::span<const ir::NodeId>, Constants) {
  return std::make_unique<LookupKernel>(kernels);
}

}  // namespace

void lookup(NodeKernels& kernels) {
  kernels.add("lookup", {accepts_lookup, prepare_lookup});
}

}  // namespace stair::backends::int8
