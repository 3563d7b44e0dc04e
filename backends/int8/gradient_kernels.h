#pragma once

// Gradients of convolutions whose other operand is 8-bit integers: in QAT both are, the activations that the weights' gradient reads and
// the weights that the input's gradient reads. Such an integer is exact as a bfloat16 (8 bits of significand), and the float gradient is
// the sum of three of them, so that tiles multiply them in three passes with float sums: as exact as a product of floats, many times as
// fast. What is smaller than the least normal float counts as 0 on the way (the tiles know no other).
//
// Plain structs on raw memory, as kernels.h.

#include <cstdint>

namespace stair::backends::int8 {

inline constexpr std::int64_t gradient_tile = 16;   ///< channels, and positions of a result
inline constexpr std::int64_t gradient_depth = 32;  ///< bfloat16s along the axis of a sum
inline constexpr std::int64_t gradient_parts = 3;   ///< bfloat16s of a float

/// Adds to sums[tap][O][C] what some images contribute: the sum over pixels of dy * (q - zero_point). Channels of the sums are padded to
/// tiles.
///
/// The input is copied with its padding into planes by the number of row and column modulo the stride, so that neighbouring output pixels
/// read neighbours: output pixel (r, i), tap t, reads position tap_offsets[t] + r * pitch + i. dy lies on the same positions, r * pitch +
/// i, zero in between.
struct WeightGradient {
  const std::uint8_t* q;  ///< [images, C, H, W]
  bool is_signed;
  std::int32_t zero_point;
  const float* dy;  ///< [images, O, OH, OW]
  std::int64_t images, in_channels, in_height, in_width, out_channels, out_height, out_width;
  std::int64_t stride_h, stride_w, top, left;
  std::int64_t row_planes, column_planes, plane_rows, pitch;
  std::int64_t plane_positions;  ///< of one plane with what is read behind it; a multiple of 16
  std::int64_t positions;        ///< of an image's dy: out_height * pitch, up to a multiple of gradient_depth
  const std::int32_t* tap_offsets;
  std::int64_t taps;
  std::uint8_t* bytes;   ///< scratch: gradient_tile * plane_positions
  std::uint16_t* pairs;  ///< scratch: [channels / tile][image][parity][plane][position / 2][tile][2]
  std::uint16_t* parts;  ///< scratch: [part][O][images * positions]
  float* sums;
};

/// Those pixels of the input's gradient, every stride_h-th row and stride_w-th column, that the same taps read: to them it is a convolution
/// of dy with stride 1. Pixel (r, i) of the part reads position offset + r * pitch + i of a pair row.
struct InputPart {
  const std::uint16_t* weights;  ///< [C / tile][step][tile][gradient_depth]
  const std::int32_t* offsets;   ///< [step]
  const std::int32_t* first_pairs;
  std::int64_t steps;
  std::int64_t rows, columns;            ///< pixels
  std::int64_t first_row, first_column;  ///< of dx
};

/// The gradient of a convolution by its input, one image: dx[c, h, w] = the sum over steps of weights * scale * dy.
///
/// dy, times the scale of its channel, is copied with the padding of the transposed convolution. A step takes gradient_depth channels of
/// one tap, beginning with pair row `first_pair`; where there are no more than half as many channels, the other half of its rows are the
/// same one position on: another tap of the row.
struct InputGradient {
  const float* dy;     ///< [O, OH, OW]
  const float* scale;  ///< [O]
  std::int64_t out_channels, out_height, out_width, in_channels, in_height, in_width;
  std::int64_t stride_h, stride_w;
  std::int64_t top, left, pitch;
  std::int64_t plane_positions;  ///< of a pair row, with what is read behind it
  std::int64_t pair_rows;        ///< a multiple of gradient_depth / 2
  bool doubled;
  std::uint16_t* pairs;  ///< scratch: [part][pair row][position][2]; zero where it is never written: in the padding
  const InputPart* parts;
  std::int64_t part_count;
  bool covers;  ///< each pixel belongs to a part; the others are 0
  float* dx;    ///< [C, H, W]
};

}  // namespace stair::backends::int8
