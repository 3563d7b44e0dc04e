#include <string>

#include "backends/int8/for_ranges.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/variant_kernel.h"
#include "backends/range.h"
#include "ir/integer_rows.h"

namespace stair::backends::int8 {
namespace {

// N-NORM: rows of neighbouring elements, each parameter being that of `inner` of them.
class NormKernel : public VariantKernel {
 public:
  NormKernel(const Kernels& kernels, const ir::Graph& graph, const ir::Node& node)
      : VariantKernel(kernels, node.op->name), range_(range_of(node)), parameters_(ir::element_count(graph.type(node.operands[1]).shape)) {
    const ir::Shape& shape = graph.type(node.results[0]).shape;
    if (node.attributes.has("groups")) {
      groups_ = node.attributes.integer("groups");
      inner_ = ir::element_count(shape) / (shape[0] * parameters_);
    }
    length_ = parameters_ / groups_ * inner_;
  }

  void run(const Arguments& a) override {
    const std::int64_t rows = a.operands[0].count() / length_;
    for_ranges(rows, 1, elements_of_piece / (4 * length_), a.threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) run_row(a, row);
    });
  }

 private:
  void run_row(const Arguments& a, std::int64_t row) const {
    const auto integer = [&](std::size_t operand) { return *a.operands[operand].as<const std::int32_t>(); };
    const bool is_signed = a.operands[0].type.dtype == ir::DType::s8;
    const std::uint8_t* q = a.operands[0].as<const std::uint8_t>() + row * length_;
    std::uint8_t* y = a.results[0].as<std::uint8_t>() + row * length_;
    std::int64_t sum = 0;
    std::int64_t squares = 0;
    kernels_.sum_squares(q, is_signed, length_, &sum, &squares);
    const ir::NormRow shared(length_, sum, squares, {integer(4), integer(5)});
    const std::int64_t in_group = parameters_ / groups_;
    const std::int64_t parameter = row % groups_ * in_group;
    NormalizedIntegers some{.n = static_cast<std::int32_t>(length_),
                            .sum = static_cast<std::int32_t>(sum),
                            .factor = static_cast<std::int32_t>(shared.factor),
                            .shift = shared.shift,
                            .gamma = a.operands[1].as<const std::int32_t>() + parameter,
                            .beta = a.operands[2].as<const std::int32_t>() + parameter,
                            .repeats = inner_ > 1,
                            .k = integer(3),
                            .zero_point = integer(6),
                            .lo = range_.lo,
                            .hi = range_.hi,
                            .is_signed = is_signed};
    if (inner_ == 1) return kernels_.norm(some, q, y, length_);
    for (std::int64_t i = 0; i < length_; i += inner_, ++some.gamma, ++some.beta) kernels_.norm(some, q + i, y + i, inner_);
  }

  ir::Range range_;
  std::int64_t parameters_, groups_ = 1, inner_ = 1, length_ = 1;
};

Answer accepts_norm(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_norm(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<NormKernel>(kernels, graph, graph.node(nodes[0]));
}

}  // namespace

void norm_integer(NodeKernels& kernels) {
  for (const char* op : {"layer_norm_integer", "group_norm_integer"}) kernels.add(op, {accepts_norm, prepare_norm});
}

}  // namespace stair::backends::int8
