#include <omp.h>

#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/panels.h"
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

STAIR_MULTIVERSION void add_bias(const float* sums, const float* bias, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = sums[i] + bias[i];
}

// By sgemm; with weights that are constants, packed once, in loops of our own.
class LinearKernel : public Kernel {
 public:
  LinearKernel(const ir::Graph& graph, const ir::Node& node, Constants constants)
      : outputs_(graph.type(node.operands[1]).shape[0]), inputs_(graph.type(node.operands[1]).shape[1]), panels_(outputs_, inputs_) {
    const void* known = constants.empty() ? nullptr : constants[static_cast<std::size_t>(node.operands[1])].data;
    if (known == nullptr) return;
    description_ = std::string(direct::loops().name) + " packed, vectors of outputs";
    packed_ = AlignedFloats(panels_.packed_floats());
    panels_.pack(static_cast<const float*>(known), packed_.data(), 1);
    row_step_ = balanced(ir::element_count(graph.type(node.operands[0]).shape) / inputs_, direct::most_positions);
    offsets_.resize(static_cast<std::size_t>(inputs_));
    std::iota(offsets_.begin(), offsets_.end(), 0);
    for (std::int64_t row = 0; row < row_step_; ++row) rows_.push_back(static_cast<std::int32_t>(row * inputs_));
  }

  void run(const Arguments& a) override {
    if (packed_.empty()) return run_linear(a);
    const std::int64_t rows = a.operands[0].count() / inputs_;
    const std::int64_t steps = piece_count(rows, row_step_);
    for_items(panels_.count() * steps, a.threads, [&](std::int64_t item) {
      const std::int64_t first = item % steps * row_step_;
      multiply(a, item / steps, first, std::min(row_step_, rows - first));
    });
  }

  std::size_t scratch_bytes() const override { return packed_.empty() ? 0 : max_threads * thread_floats() * sizeof(float); }
  std::size_t packed_bytes() const override { return packed_.bytes(); }
  std::string_view description() const override { return description_; }

 private:
  std::size_t thread_floats() const { return static_cast<std::size_t>(row_step_ * panels_.width(0)); }

  void multiply(const Arguments& a, std::int64_t panel, std::int64_t first, std::int64_t rows) const {
    float* sums = reinterpret_cast<float*>(a.scratch) + static_cast<std::size_t>(omp_get_thread_num()) * thread_floats();
    panels_.multiply(panel, packed_.data(), a.operands[0].as<float>() + first * inputs_, offsets_.data(), rows_.data(), rows, sums);
    const std::int64_t column = panels_.first_channel(panel);
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* from = sums + i * panels_.width(panel);
      float* y = a.results[0].as<float>() + (first + i) * outputs_ + column;
      if (a.has(2)) {
        add_bias(from, a.operands[2].as<float>() + column, y, panels_.channels(panel));
      } else {
        std::copy_n(from, panels_.channels(panel), y);
      }
    }
  }

  std::int64_t outputs_, inputs_;
  direct::Panels panels_;
  AlignedFloats packed_;
  std::string description_ = "sgemm";
  std::int64_t row_step_ = 0;
  std::vector<std::int32_t> offsets_, rows_;
};

std::unique_ptr<Kernel> prepare_linear(const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants constants) {
  return std::make_unique<LinearKernel>(graph, graph.node(nodes.front()), constants);
}

}  // namespace

void linear(FunctionKernels& kernels) {
  kernels.add("linear", {.function = nullptr, .accepts = not_double, .prepare = prepare_linear});
}

}  // namespace stair::backends::openblas
