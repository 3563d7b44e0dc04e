#include <cstring>

#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {
namespace {

// N-MOVE
class CopyKernel : public Kernel {
 public:
  std::string_view description() const override { return "copy"; }
  void run(const Arguments& a) override { std::memcpy(a.results[0].data, a.operands[0].data, ir::byte_count(a.results[0].type)); }
};

Answer accepts_reshape(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_reshape(const Kernels&, const ir::Graph&, std::span<const ir::NodeId>, Constants) {
  return std::make_unique<CopyKernel>();
}

}  // namespace

void reshape(NodeKernels& kernels) {
  for (const char* op : {"reshape", "flatten"}) kernels.add(op, {accepts_reshape, prepare_reshape});
}

}  // namespace stair::backends::int8
