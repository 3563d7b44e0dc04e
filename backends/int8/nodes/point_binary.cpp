#include <string>

#include "backends/int8/fusion.h"
#include "backends/int8/node_kernels.h"
#include "backends/int8/parallel_for.h"
#include "backends/int8/variant_kernel.h"
#include "ir/broadcast.h"
#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// The result as rows along which an operand has an element for each of the result's, or a single one.
class Rows {
 public:
  Rows(const ir::Shape& a, const ir::Shape& b, const ir::Shape& to) {
    const ir::Shape sa = ir::broadcast_strides(a, to);
    const ir::Shape sb = ir::broadcast_strides(b, to);
    for (std::size_t d = to.size(); d-- > 0;) {
      if (to[d] == 1) continue;
      if (!axes_.empty() && axes_.back().continues(sa[d], sb[d])) {
        axes_.back().length *= to[d];
      } else {
        axes_.push_back({to[d], sa[d], sb[d]});
      }
    }
    if (axes_.empty()) axes_.push_back({1, 0, 0});
    for (std::size_t d = 1; d < axes_.size(); ++d) count_ *= axes_[d].length;
  }

  std::int64_t count() const { return count_; }
  std::int64_t length() const { return axes_[0].length; }
  bool a_repeats() const { return axes_[0].a == 0; }
  bool b_repeats() const { return axes_[0].b == 0; }
  struct Begin {
    std::int64_t a = 0, b = 0;
  };
  Begin begin(std::int64_t row) const {
    Begin at;
    for (std::size_t d = 1; d < axes_.size(); ++d) {
      at.a += row % axes_[d].length * axes_[d].a;
      at.b += row % axes_[d].length * axes_[d].b;
      row /= axes_[d].length;
    }
    return at;
  }

 private:
  struct Axis {
    std::int64_t length, a, b;  // steps along it in elements of the operands
    bool continues(std::int64_t more_a, std::int64_t more_b) const { return more_a == length * a && more_b == length * b; }
  };
  std::vector<Axis> axes_;  // innermost first
  std::int64_t count_ = 1;
};

Rows rows_of(const ir::Graph& graph, const ir::Node& node) {
  return {graph.type(node.operands[0]).shape, graph.type(node.operands[1]).shape, graph.type(node.results[0]).shape};
}

Binary operation_of(const ir::Node& node, std::span<const ir::TensorView> operands) {
  Binary binary;
  binary.operands = residual_of(node, 0, operands);
  binary.multiply = node.op->name == "mul_fixed" || (node.op->name == "point_binary" && node.attributes.text("function") == "mul");
  binary.own_signed = operands[0].type.dtype == ir::DType::s8;
  return binary;
}

// N-POINT, N-REQ-FIXED
class BinaryKernel : public VariantKernel {
 public:
  BinaryKernel(const Kernels& kernels, const ir::Graph& graph, const ir::Node& node)
      : VariantKernel(kernels, node.op->name), node_(node), rows_(rows_of(graph, node)) {}

  void run(const Arguments& a) override {
    const Binary operation = operation_of(node_, a.operands);
    const auto run_part = [&](std::int64_t row, std::int64_t first, std::int64_t last) {
      const Rows::Begin begin = rows_.begin(row);
      kernels_.binary(operation, {a.operands[0].as<const std::uint8_t>() + begin.a + (rows_.a_repeats() ? 0 : first),
                                  a.operands[1].as<const std::uint8_t>() + begin.b + (rows_.b_repeats() ? 0 : first), rows_.a_repeats(),
                                  rows_.b_repeats(), a.results[0].as<std::uint8_t>() + row * rows_.length() + first, last - first});
    };
    if (rows_.count() == 1) {
      return for_elements(rows_.length(), a.threads, [&](std::int64_t first, std::int64_t last) { run_part(0, first, last); });
    }
    parallel_for(rows_.count(), 1, elements_of_piece / rows_.length(), a.threads, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) run_part(row, 0, rows_.length());
    });
  }

 private:
  const ir::Node& node_;
  Rows rows_;
};

Answer accepts_point_binary(const ir::Graph&, const ir::Node&) {
  return Answer::can();
}

std::unique_ptr<Kernel> prepare_point_binary(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<BinaryKernel>(kernels, graph, graph.node(nodes.front()));
}

}  // namespace

void point_binary(NodeKernels& kernels) {
  for (const char* op : {"point_binary", "add_fixed", "mul_fixed"}) kernels.add(op, {accepts_point_binary, prepare_point_binary});
}

}  // namespace stair::backends::int8
