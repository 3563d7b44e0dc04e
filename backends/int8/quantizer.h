#pragma once

// The quantizer of activations behind the nodes that compute them, in one kernel with these:
//   observer?, affine_parameters?, quantize, range_mask?
// Nobody else reads what is quantized, so that no float of it goes to memory. Of a sum of quantized tensors point_binary yields the
// integers (N-POINT), with the range of the clamp behind it from clamp_range; that is the same as quantizing the clamped sum.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "backends/backend.h"
#include "backends/group_arguments.h"
#include "backends/int8/kernels.h"
#include "backends/masks.h"
#include "backends/min_max.h"

namespace stair::backends::int8 {

class Quantizer {
 public:
  /// Appends those of the nodes that there are to a group whose value `x` they read; nothing, and false, where there is no quantizer with
  /// one scale for all elements, x is read by others, too, or the scale isn't known before the group but by its own observer. `sum`: the
  /// point_binary that stands for the quantizer.
  static bool append(const ir::Graph& graph, const ir::Uses& uses, ir::ValueId x, const std::function<bool(ir::NodeId)>& free,
                     std::vector<ir::NodeId>& nodes, std::optional<ir::NodeId> sum = std::nullopt);
  /// The quantizer among the nodes of such a group.
  Quantizer(const Kernels& kernels, const ir::Graph& graph, std::span<const ir::NodeId> nodes, const GroupArguments& values);

  /// Whether it needs the extent of all elements before the first is quantized.
  bool observes() const { return observer_.node != nullptr; }

  /// What the quantizer is for one batch.
  struct Parameters {
    Quantization quantization;
    Interval marked;
  };
  /// Writes the results of the observer and of affine_parameters.
  Parameters parameters(const Arguments& a, const MinMax& seen) const;
  /// Quantizes `count` elements, which are those from element `first`, a multiple of 8, on.
  void quantize(const Arguments& a, const Parameters& p, const float* x, std::int64_t first, std::int64_t count) const;
  /// The same of rows that are normalized first.
  bool takes_rows(std::int64_t length) const { return kernels_.quantize_normalized != nullptr && length % 16 == 0; }
  void quantize(const Arguments& a, const Parameters& p, const NormalizedRows& rows, std::int64_t first) const;

 private:
  struct Part {
    const ir::Node* node = nullptr;
    std::size_t operands = 0;  // the first of them among the group's
  };

  const Kernels& kernels_;
  Part observer_, affine_, quantize_, mask_;
  std::optional<std::size_t> low_, high_, count_, scale_, zero_point_, q_, bits_;  // among the group's results
};

}  // namespace stair::backends::int8
