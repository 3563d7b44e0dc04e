#include "backends/int8/gradients.h"

#include "ir/op.h"

namespace stair::backends::int8 {
namespace {

// Of the convolution that x, w and y belong to.
Window window_of(const ir::Graph& graph, const ir::Node& gradient, ir::ValueId x, ir::ValueId w, ir::ValueId y) {
  return Window::convolution(gradient.attributes, graph.type(x).shape, graph.type(w).shape, graph.type(y).shape);
}
Window window_of(const ir::Graph& graph, const ir::Node& gradient) {
  const ir::ValueId dy = gradient.operands[0];
  const ir::ValueId result = gradient.results[0];
  if (gradient.op->name == "conv2d_grad_weight") return window_of(graph, gradient, gradient.operands[1], result, dy);
  return window_of(graph, gradient, result, gradient.operands[1], dy);
}

/// A product of two matrices, the second one as it is.
struct MatrixProduct {
  bool transposed;
  std::int64_t m, n, k;
  MatrixProduct(const ir::Graph& graph, const ir::Node& matmul)
      : transposed(matmul.attributes.boolean("transpose_a")),
        m(graph.type(matmul.results[0]).shape[0]),
        n(graph.type(matmul.results[0]).shape[1]),
        k(graph.type(matmul.operands[1]).shape[0]) {}
};
bool is_product_of_matrices(const ir::Graph& graph, const ir::Node& node) {
  return node.op->name == "matmul" && !node.attributes.boolean("transpose_b") && graph.type(node.operands[0]).shape.size() == 2 &&
         graph.type(node.operands[1]).shape.size() == 2;
}

}  // namespace

std::vector<ir::NodeId> gradient_group(const Kernels& kernels, const ir::Graph& graph, const ir::Uses& uses, ir::NodeId first,
                                       const std::function<bool(ir::NodeId)>& free) {
  const ir::Node& dequantize = graph.node(first);
  const ir::NodeId* id = only_reader(uses, dequantize.results[0], free);
  if (id == nullptr || graph.node(*id).operands.size() != 2 || graph.node(*id).operands[1] != dequantize.results[0]) return {first};
  const ir::Node& reader = graph.node(*id);
  const bool one_scale = ir::element_count(graph.type(dequantize.operands[1]).shape) == 1;
  const std::int64_t axis = dequantize.attributes.integer("axis");
  if (reader.op->name == "conv2d_grad_weight" && one_scale && weight_gradient_fits(kernels, window_of(graph, reader))) return {first, *id};
  if (reader.op->name == "conv2d_grad_input" && (one_scale || axis == 0) && input_gradient_fits(kernels, window_of(graph, reader))) {
    return {first, *id};
  }
  if (is_product_of_matrices(graph, reader) && (one_scale || axis == 0)) {
    const MatrixProduct product(graph, reader);
    if (matrix_gradient_fits(kernels, product.m, product.n, product.k)) return {first, *id};
  }
  return {first};
}

std::unique_ptr<Kernel> prepare_gradient(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes) {
  const ir::Node& reader = graph.node(nodes.back());
  const bool is_signed = graph.type(graph.node(nodes.front()).operands[0]).dtype == ir::DType::s8;
  if (reader.op->name == "matmul") {
    const MatrixProduct product(graph, reader);
    return matrix_gradient(kernels, product.transposed, is_signed, product.m, product.n, product.k);
  }
  const Window window = window_of(graph, reader);
  if (reader.op->name == "conv2d_grad_input") return input_gradient(kernels, window);
  return weight_gradient(kernels, window, is_signed);
}

}  // namespace stair::backends::int8
