#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace stair::backends {

/// The gradient of a convolution by its input, along one axis: the pixels first, first + stride, … that the same kernel positions read. To
/// them it is a convolution of dy with stride 1: of pixel first + i * stride, kernel[j] reads position i + shift[j] of dy. In the order of
/// the shifts, which are evenly spaced; the kernel so runs backwards.
struct StridedSubconvolution {
  std::int64_t first, pixels;
  std::vector<std::int64_t> kernel, shift;

  StridedSubconvolution(std::int64_t residue, std::int64_t size, std::int64_t taps, std::int64_t stride, std::int64_t padding,
                        std::int64_t dilation)
      : first(((residue - padding) % stride + stride) % stride), pixels(first < size ? (size - 1 - first) / stride + 1 : 0) {
    for (std::int64_t k = taps - 1; k >= 0; --k) {
      if ((first + padding - k * dilation) % stride != 0) continue;
      kernel.push_back(k);
      shift.push_back((first + padding - k * dilation) / stride);
    }
  }
};

/// Those of an axis of `size` pixels that have any.
inline std::vector<StridedSubconvolution> strided_subconvolutions(std::int64_t size, std::int64_t taps, std::int64_t stride,
                                                                  std::int64_t padding, std::int64_t dilation) {
  std::vector<StridedSubconvolution> all;
  for (std::int64_t residue = 0; residue < stride; ++residue) {
    StridedSubconvolution phase(residue, size, taps, stride, padding, dilation);
    if (phase.pixels > 0) all.push_back(std::move(phase));
  }
  return all;
}

}  // namespace stair::backends
