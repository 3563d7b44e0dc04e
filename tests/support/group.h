#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/tensor.h"

// Random graphs that a backend runs as one kernel, and what they yield: the bits of their nodes one by one.

namespace stair::tests {

struct Group {
  ir::Graph graph;
  std::vector<runtime::Tensor> inputs;
};

class GroupBuilder {
 public:
  explicit GroupBuilder(std::uint64_t seed) : random_(seed) {}

  /// 0 to choices - 1.
  std::int64_t pick(std::int64_t choices);
  /// [N, C, H, W] or [N, C].
  ir::Shape activations();
  /// Inputs of random floats in [-8, 8), and of random bytes.
  ir::ValueId floats(const ir::Shape& shape);
  ir::ValueId bytes(const ir::Shape& shape, ir::DType dtype = ir::DType::u8);
  /// Of s8 in [-127, 127].
  ir::ValueId weights(const ir::Shape& shape);
  /// An input of one element.
  ir::ValueId number(float value);
  ir::ValueId integer(std::int32_t value);
  ir::ValueId count(std::int64_t value);

  ir::Graph& graph() { return group_.graph; }
  /// The last node's results.
  const std::vector<ir::ValueId>& results() { return group_.graph.nodes().back().results; }
  void output(ir::ValueId value) { group_.graph.add_output(group_.graph.value(value).name, value); }
  Group take() { return std::move(group_); }

 private:
  ir::ValueId input(ir::DType dtype, const ir::Shape& shape);

  std::mt19937_64 random_;
  Group group_;
};

/// Checks that a backend runs the graph as one kernel, and that its outputs have the bits of its nodes alone (those of quantizers'
/// parameters on the reference, which alone has them), on 1, 2 and 3 threads: openblas, or each variant of int8, before openblas in the
/// order of preference.
void check_group_on_openblas(const Group& group);
void check_group_on_int8(const Group& group);

}  // namespace stair::tests
