#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "backends/int8/kernels.h"
#include "backends/window.h"

namespace stair::backends::int8 {

/// Sums of products of 8-bit activations with weights, on NHWC tensors (N-ACC), planned for one variant: input [N,H,W,C], result
/// [N,OH,OW,O] in the element type of the epilogue. A linear layer or a matrix product of M rows is a 1x1 convolution over an image of
/// M x 1 pixels.
class Contraction {
 public:
  virtual ~Contraction() = default;

  /// Whether the result is [O,OH,OW] instead.
  virtual bool channels_first() const { return false; }

  virtual std::size_t packed_bytes() const = 0;
  /// Packs weights [O,C/groups,KH,KW] into `packed`, 64-byte aligned, and adds -z * sum of w to `offset` [O]: the correction for the zero
  /// point of the input.
  virtual void pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset, int threads) const = 0;

  /// Of the memory that run() needs with at most so many threads: as many equal parts.
  virtual std::size_t scratch_bytes(int threads) const = 0;
  /// `other` is the operand of the epilogue's residual addition, of the result's shape, or nullptr. Parameters of the epilogue are by
  /// channel of the result.
  virtual void run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue,
                   std::byte* result, const std::uint8_t* other, std::byte* scratch, int threads) const = 0;
};

/// The best plan for the window. `signed_input`: s8 activations, else u8. `weights` are those that will be packed, where they are known:
/// where there are few rows, and what takes time is the weights' way from memory, those that fit 4 or 2 bits are packed as such.
/// `channels_first` is a wish: the result of the only image is to be [O,OH,OW], in floats (Rescale::logits). Not every plan fulfils it.
std::unique_ptr<Contraction> plan_contraction(const Kernels& kernels, const Window& window, bool signed_input,
                                              std::span<const std::int8_t> weights = {}, bool channels_first = false);

}  // namespace stair::backends::int8
