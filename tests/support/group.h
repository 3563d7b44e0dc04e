#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "ir/graph.h"
#include "runtime/tensor.h"

// Random graphs that a backend runs as one kernel, and what they yield: the bits of their nodes one by one.

namespace stair::tests {

struct Group {
  ir::Graph graph;
  std::vector<runtime::Tensor> inputs;
  runtime::Tensors constants;
};

class GroupBuilder {
 public:
  explicit GroupBuilder(std::uint64_t seed) : random_(seed) {}

  /// Whether tensors are constants of the graph from now on, or inputs, as they are first.
  void make_constants(bool yes) { constants_ = yes; }

  /// 0 to choices - 1.
  std::int64_t pick(std::int64_t choices);
  /// [N, C, H, W] or [N, C].
  ir::Shape activations();
  /// Inputs of random floats in [-magnitude, magnitude), and of random bytes.
  ir::ValueId floats(const ir::Shape& shape, float magnitude = 8);
  /// In [0.5, 8.5): variances.
  ir::ValueId positive(const ir::Shape& shape);
  ir::ValueId bytes(const ir::Shape& shape, ir::DType dtype = ir::DType::u8);
  /// Of s8 in [-127, 127].
  ir::ValueId weights(const ir::Shape& shape);
  /// An input of one element.
  ir::ValueId number(float value);
  ir::ValueId integer(std::int32_t value);
  /// A vector of elements in [low, high].
  ir::ValueId numbers(std::int64_t count, float low, float high);
  ir::ValueId integers(std::int64_t count, std::int32_t low, std::int32_t high);
  /// Two integers, [low, high].
  ir::ValueId range(std::int32_t low, std::int32_t high);

  ir::Graph& graph() { return group_.graph; }
  /// The last node's results.
  const std::vector<ir::ValueId>& results() { return group_.graph.nodes().back().results; }
  void output(ir::ValueId value) { group_.graph.add_output(group_.graph.value(value).name, value); }
  Group take() { return std::move(group_); }

 private:
  ir::ValueId tensor(ir::DType dtype, const ir::Shape& shape);

  std::mt19937_64 random_;
  Group group_;
  bool constants_ = false;
  runtime::Tensor* last_ = nullptr;  // made by tensor()
};

/// What a graph's nodes have become, and its outputs.
struct Ran {
  std::vector<std::string> kernels;   ///< "conv2d + add + relu"
  std::vector<std::string> backends;  ///< of each kernel
  std::vector<runtime::Tensor> outputs;
};
/// One run of a graph over the tensors of a group.
Ran run(const ir::Graph& graph, const Group& group, const std::vector<const backends::Backend*>& preferred, int threads);
/// The same on the backend of each node, but without groups.
Ran run_alone(const ir::Graph& graph, const Group& group, const std::vector<const backends::Backend*>& preferred);

/// Checks that a backend runs the graph as one kernel, and that its outputs have the bits of its nodes alone (those of quantizers'
/// parameters on the reference, which alone has them), on 1, 2 and 3 threads: openblas, or each variant of int8, before openblas in the
/// order of preference.
void check_group_on_openblas(const Group& group);
void check_group_on_int8(const Group& group);

}  // namespace stair::tests
