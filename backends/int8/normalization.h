#pragma once

// What runs behind a convolution in a training step with batch statistics, in one kernel with it:
//   batch_norm, (relu | relu6)?, and the quantizer (quantizer.h)
// Moments and bounds_seen of the channels come from the rows that the convolution has just written, while they are in the cache. Since
// normalizing and clamping keep the order of floats or turn it around, the extent of what is quantized follows from these, and one more
// read makes integers and mask of the rows.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/forward.h"
#include "backends/int8/quantizer.h"

namespace stair::backends::int8 {

class Normalization {
 public:
  /// Appends these nodes to a group that yields x, [N, C, H, W]; nothing where they aren't there, or nobody else reads x.
  static void append(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId x, const std::function<bool(ir::NodeId)>& free,
                     std::vector<ir::NodeId>& nodes);
  /// The normalization among the nodes of a group; nullptr where there is none.
  static std::unique_ptr<Normalization> among(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes);

  std::size_t scratch_bytes() const;
  /// Takes in an image of x, which lies in the cache. Threads may do so with several at once.
  void see(const float* image, std::int64_t index, std::byte* scratch, int threads) const;
  /// The rest, when all have been seen. The group's first result is x.
  void run(const Arguments& a, std::byte* scratch) const;

 private:
  struct Rows;
  static constexpr std::int64_t part = 2048;  // elements that stay in the first-level cache between the nodes

  Normalization(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, ir::NodeId batch_norm,
                const GroupArguments& values);

  const ir::Node& batch_norm_;
  std::size_t operands_;                      // of batch_norm, among the group's
  std::optional<std::size_t> statistics_[4];  // new_mean, new_var, batch_mean, inv_std among the group's results
  Activation clamp_ = nullptr;
  float most_ = std::numeric_limits<float>::infinity();  // that the clamp lets through
  Quantizer quantizer_;
  std::int64_t images_, channels_, pixels_;
};

}  // namespace stair::backends::int8
