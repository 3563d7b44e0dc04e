#include "backends/int8/transpose.h"

#include <optional>

#include "backends/int8/node_kernels.h"

namespace stair::backends::int8 {
namespace {

// [images, rows, columns] to [images, columns, rows]
struct Matrices {
  std::int64_t images = 1, rows = 1, columns = 1;
};

// A permutation that swaps two groups of neighbouring axes behind those that stay. Axes of one element don't matter.
std::optional<Matrices> matrices_of(const ir::Shape& x, const std::vector<std::int64_t>& permutation) {
  std::vector<std::int64_t> axes;  // of x in the order of the result
  for (const std::int64_t axis : permutation) {
    if (x[static_cast<std::size_t>(axis)] != 1) axes.push_back(axis);
  }
  std::vector<std::int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  Matrices m;
  std::size_t at = 0;
  const auto length = [&](std::size_t i) { return x[static_cast<std::size_t>(axes[i])]; };
  for (; at < axes.size() && axes[at] == sorted[at]; ++at) m.images *= length(at);
  // What is left is the columns in order and then the rows in order: a rotation.
  const std::size_t rest = axes.size() - at;
  for (std::size_t rows = 1; rows < rest; ++rows) {
    std::vector<std::int64_t> rotated(sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
    std::rotate(rotated.begin(), rotated.begin() + static_cast<std::ptrdiff_t>(rows), rotated.end());
    if (!std::equal(rotated.begin(), rotated.end(), axes.begin() + static_cast<std::ptrdiff_t>(at))) continue;
    for (std::size_t i = 0; i < rest; ++i) (i < rest - rows ? m.columns : m.rows) *= length(at + i);
    return m;
  }
  if (rest == 0) return Matrices{1, 1, m.images};
  return std::nullopt;
}

std::optional<Matrices> matrices_of(const ir::Graph& graph, const ir::Node& node) {
  return matrices_of(graph.type(node.operands[0]).shape, node.attributes.integers("permutation"));
}

// N-MOVE
class TransposeKernel : public Kernel {
 public:
  explicit TransposeKernel(const Matrices& matrices) : matrices_(matrices) {}
  std::string_view description() const override { return "blocks"; }
  void run(const Arguments& a) override {
    if (ir::size_of(a.results[0].type.dtype) == 1) {
      run_as<std::uint8_t>(a);
    } else {
      run_as<std::uint32_t>(a);
    }
  }

 private:
  template <class T>
  void run_as(const Arguments& a) const {
    transpose(a.operands[0].as<const T>(), matrices_.images, matrices_.rows, matrices_.columns, a.results[0].as<T>(), a.threads);
  }

  Matrices matrices_;
};

Answer accepts_transpose(const ir::Graph& graph, const ir::Node& node) {
  if (ir::size_of(graph.type(node.operands[0]).dtype) > 4) return Answer::cannot("elements of eight bytes");
  return matrices_of(graph, node) ? Answer::can() : Answer::cannot("only permutations that swap two groups of neighbouring axes");
}

std::unique_ptr<Kernel> prepare_transpose(const Kernels&, const ir::Graph& graph, std::span<const ir::NodeId> nodes, Constants) {
  return std::make_unique<TransposeKernel>(*matrices_of(graph, graph.node(nodes.front())));
}

}  // namespace

void transpose(NodeKernels& kernels) {
  kernels.add("transpose", {accepts_transpose, prepare_transpose});
}

}  // namespace stair::backends::int8
