#include <memory>
#include <optional>
#include <string_view>

#include "backends/openblas/accepts.h"
#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/product.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas {
namespace {

void run_linear(const Arguments& a) {
  const std::int64_t k = a.operands[1].dim(1);
  const std::int64_t outputs = a.operands[1].dim(0);
  const Blocks blocks(a.operands[0].count() / k, outputs, k);
  const float* bias = a.has(2) ? a.operands[2].as<float>() : nullptr;
  for_items(blocks.count(), a.threads, [&](std::int64_t block) {
    blocks.at(block, [&](std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) {
      float* y = a.results[0].as<float>() + row * outputs + column;
      if (bias != nullptr) {
        for (std::int64_t i = 0; i < rows; ++i) std::copy_n(bias + column, columns, y + i * outputs);
      }
      sgemm(rows, columns, k, {a.operands[0].as<float>() + row * k, k}, {a.operands[1].as<float>() + column * k, k, true},
            bias == nullptr ? 0.0F : 1.0F, y, outputs);
    });
  });
}

// In loops of our own with weights that are constants, packed once, and where they beat sgemm.
class LinearKernel : public Kernel {
 public:
  LinearKernel(const ir::Graph& graph, const ir::Node& node, Constants constants) {
    const ir::Shape& w = graph.type(node.operands[1]).shape;
    const std::int64_t rows = ir::element_count(graph.type(node.operands[0]).shape) / w[1];
    const void* known = constants.empty() ? nullptr : constants[static_cast<std::size_t>(node.operands[1])].data;
    if (known == nullptr && !direct::Product::takes(rows, w[0], w[1])) return;
    product_.emplace(rows, w[0], w[1]);
    if (known == nullptr) return;
    packed_ = AlignedFloats(product_->packed_floats());
    product_->pack({static_cast<const float*>(known), w[1], true}, packed_.data(), 1);
  }

  void run(const Arguments& a) override {
    if (!product_) return run_linear(a);
    const Matrix w{a.operands[1].as<float>(), a.operands[1].dim(1), true};
    const float* bias = a.has(2) ? a.operands[2].as<float>() : nullptr;
    product_->run(a.operands[0].as<float>(), w, packed_.data(), bias, a.results[0].as<float>(), a.scratch, a.threads);
  }

  std::size_t scratch_bytes(int threads) const override { return product_ ? product_->scratch_bytes(threads) : 0; }
  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::string_view description() const override { return product_ ? std::string_view(product_->description()) : "sgemm"; }
  std::string_view isa() const override { return direct::loops().name; }

 private:
  std::optional<direct::Product> product_;
  AlignedFloats packed_;
};

std::unique_ptr<Kernel> prepare_linear(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) {
  return std::make_unique<LinearKernel>(graph, graph.node(nodes.front()), constants);
}

}  // namespace

void linear(FunctionKernels& kernels) {
  kernels.add("linear", {.function = nullptr, .accepts = not_double, .prepare = prepare_linear});
}

}  // namespace stair::backends::openblas
