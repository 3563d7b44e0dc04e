#pragma once

// What activations of a training step run through between two layers, element by element, in one read: the residual sum, the clamp, and the
// observer.
//   add?, (relu | relu6)?, observer?

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/min_max.h"

namespace stair::backends {

/// y of an activation from x, element by element; y may be x.
using Activation = void (*)(const float* x, float slope, float* y, std::int64_t count);
void relu_of(const float* x, float slope, float* y, std::int64_t count);
void relu6_of(const float* x, float slope, float* y, std::int64_t count);
/// That of a relu or relu6, which ignores the slope; nullptr of another node.
Activation clamp_of(const ir::Node& node);

/// y = a + b; y may be a or b.
void sum_rows(const float* a, const float* b, float* y, std::int64_t count);

/// For Backend::group: the only reader of the last node's first result, if that is the sum of two tensors of one shape, or nullptr.
const ir::NodeId* sum_behind(const ir::Graph& graph, const ir::Uses& uses, std::span<const ir::NodeId> nodes,
                             const std::function<bool(ir::NodeId)>& free);
/// Adds the clamp and the observer that follow the last of the nodes. Others read what is observed, too, so that it is a result.
void add_followers(const ir::Graph& graph, const ir::Uses& uses, const std::function<bool(ir::NodeId)>& free,
                   std::vector<ir::NodeId>& nodes);

/// The nodes above, wherever they stand in a group: what becomes of a row.
class Outgoing {
 public:
  Outgoing(const ir::Graph& graph, std::span<const ir::NodeId> nodes);

  /// Whether it changes rows, or at most observes them.
  bool computes() const { return adds_ || clamp_ != nullptr; }
  /// Of the sum, the tensor beside the one that comes from the node before it, or is its first operand; nullptr where it is none or the
  /// group's own value.
  const float* summand(const Arguments& a) const { return summand_ ? a.operands[*summand_].as<float>() : nullptr; }
  /// `count` elements x become y, which may be x, and are observed in `seen`. `summand` is the row that is added, if one is.
  void row(const float* x, const float* summand, float* y, std::int64_t count, MinMax& seen) const;
  /// The observer's results, the last ones of the group.
  void observe(const Arguments& a, const MinMax& seen) const;

 private:
  bool adds_ = false;
  std::optional<std::size_t> summand_;  ///< the group's operand
  Activation clamp_ = nullptr;
  const ir::Node* observer_ = nullptr;
  std::size_t before_ = 0;  ///< the group's first operand behind the observer's x
};

}  // namespace stair::backends
