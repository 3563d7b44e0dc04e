#pragma once

#include <cstdint>
#include <vector>

#include "backends/openblas/direct/winograd.h"
#include "backends/window.h"

namespace stair::backends::openblas::direct {

/// The gradient of a convolution by its weights, where that runs Winograd's way (winograd.h), backwards through it: the gradient by the
/// transformed weights is the sum over tiles of (B^T d B) times (A dy A^T), element by element of the tiles, and dw = G^T that G.
class WinogradWeightGradient {
 public:
  explicit WinogradWeightGradient(const Window& window);

  /// Of the gradient by the transformed weights: [group][element][input channel][output channel, whole vectors].
  std::int64_t gradient_floats() const;
  /// Of a thread's memory.
  std::int64_t thread_floats() const;

  /// Adds the images [first, end), in order.
  void add(const float* dy, const float* x, std::int64_t first, std::int64_t end, float* memory, float* gradient) const;
  /// dw [O, C/groups, 3, 3]
  void finish(const float* gradient, float* dw, int threads) const;

 private:
  /// As those of the forward way.
  struct Item {
    std::int64_t group, first_image, images;
    std::int64_t first_row, rows;
  };
  struct Memory {
    float* pixels;
    float* transposed;  ///< dy of an image's rows, [pixel][channel]
    float* inputs;      ///< [element][input channel][tile]
    float* sums;        ///< [element][tile][output channel]
  };

  std::int64_t input_stride() const;
  std::int64_t sum_stride() const;
  std::int64_t transposed_floats() const;
  void transform_image(const Item& item, const float* dy, const float* x, std::int64_t image, const Memory& memory) const;
  void add_item(const Item& item, const float* dy, const float* x, const Memory& memory, float* gradient) const;

  Window window_;
  WinogradTiles tiles_;
  std::int64_t channels_;  ///< output channels of a group, whole vectors
  std::vector<std::int32_t> offsets_;
};

}  // namespace stair::backends::openblas::direct
