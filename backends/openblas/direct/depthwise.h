#pragma once

#include "backends/openblas/direct/algorithm.h"

namespace stair::backends::openblas::direct {

/// Each channel by itself, 3x3, in vectors along the pixels that are read where they lie: what a channel takes is too little to copy it.
class DepthwiseConvolution : public Algorithm {
 public:
  /// Whether it takes the window: as many groups as input and output channels, 3x3, both strides 1 or both 2, no dilation.
  static bool takes(const Window& window);

  explicit DepthwiseConvolution(const Window& window) : Algorithm("depthwise, vectors of pixels"), window_(window) {}

  std::int64_t packed_floats() const override { return window_.out_channels * 9; }
  void pack(const float* w, float* packed, int threads) const override;
  std::size_t scratch_bytes(int /*threads*/) const override { return 0; }
  void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const override;

 private:
  Window window_;
};

}  // namespace stair::backends::openblas::direct
