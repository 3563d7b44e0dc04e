#pragma once

#include <vector>

#include "backends/int8/contraction.h"
#include "backends/int8/row_copy.h"

namespace stair::backends::int8 {

/// A convolution of each channel by a kernel of its own.
class DepthwiseConvolution : public Contraction {
 public:
  /// groups = input channels = output channels.
  DepthwiseConvolution(const Kernels& kernels, const Window& window, bool signed_input);

  std::size_t packed_bytes() const override { return packed_bytes_; }
  void pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset, int threads) const override;
  std::size_t scratch_bytes(int threads) const override { return scratch_bytes_ * static_cast<std::size_t>(threads); }
  void run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue, std::byte* result,
           const std::uint8_t* other, std::byte* scratch, int threads) const override;

 private:
  const Kernels& kernels_;
  Window window_;
  RowCopy copy_;
  std::int64_t pixels_ = 1, chunks_ = 1;
  std::int64_t tile_rows_;  ///< output rows a piece
  std::vector<std::int32_t> row_offsets_;
  std::size_t packed_bytes_, scratch_bytes_;
};

}  // namespace stair::backends::int8
