#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/tensor.h"
#include "tests/int8/random.h"
#include "tests/support/seeds.h"

namespace stair::tests {

/// A graph of a few nodes that the int8 backend runs as one kernel, with values for its inputs.
class NodeGroup {
 public:
  explicit NodeGroup(Random& random) : random_(random) {}

  /// Integers in [lo, hi], or floats.
  ir::ValueId input(ir::DType dtype, ir::Shape shape, double lo, double hi);
  /// Floats that `draw` yields.
  ir::ValueId floats(ir::Shape shape, const std::function<float()>& draw);
  ir::ValueId scalar(double value) { return input(ir::DType::f32, {1}, value, value); }
  ir::ValueId integers(const std::vector<std::int64_t>& values);
  ir::ValueId integer(std::int64_t value) { return integers({value}); }
  ir::ValueId emit(const std::string& op, std::vector<ir::ValueId> operands, ir::Attributes attributes = {});

  /// Holds every variant, with 1, 2 and 3 threads, against the same nodes on the reference, to the bit. Results and scratch are garbage
  /// before a run, and memory ends where tensors do.
  void check() const;

 private:
  std::vector<ir::TensorView> views(const std::vector<ir::ValueId>& ids, const std::vector<ir::TensorView>& values) const;
  runtime::Tensor expected() const;

  Random& random_;
  ir::Graph graph_;
  std::vector<runtime::Tensor> inputs_;  // in the order of the graph's
};

/// Calls body(random, group) for each seed and checks the group it builds.
template <class Body>
void for_seeds(std::uint64_t count, Body&& body) {
  for (const std::uint64_t seed : tests::seeds(count)) {
    INFO(tests::replay(seed));
    Random random(seed);
    NodeGroup group(random);
    body(random, group);
    group.check();
  }
}

}  // namespace stair::tests
