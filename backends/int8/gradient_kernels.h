#pragma once

// Gradients of convolutions and linear layers whose other operand is 8-bit integers: in QAT both are, the activations that the weights'
// gradient reads and the weights that the input's gradient reads. Such an integer is exact as a bfloat16 (8 bits of significand), and the
// float gradient is the sum of three of them, so that tiles multiply them in three passes with float sums: as exact as a product of floats,
// many times as fast. What is smaller than the least normal float counts as 0 on the way (the tiles know no other).
//
// Both copy their operands so that each row of a tile is one cache line: loading a tile whose rows cross lines takes three times as long as
// multiplying it.
//
// Plain structs on raw memory, as kernels.h.

#include <cstdint>

namespace stair::backends::int8 {

inline constexpr std::int64_t gradient_tile = 16;   ///< rows of a tile, and columns of a result
inline constexpr std::int64_t gradient_depth = 32;  ///< bfloat16s along the axis of a sum
inline constexpr std::int64_t gradient_parts = 3;   ///< bfloat16s of a float
inline constexpr std::int64_t gradient_steps = 8;   ///< of gradient_depth pixels, whose dy stays in the first-level cache
inline constexpr std::int64_t gradient_sums = gradient_tile * gradient_tile;  ///< floats of a tile

/// What one kernel position reads, pixel by pixel of the result: position start + r * pitch + i of a channel is pixel (row + r *
/// stride_h, column + i * stride_w) of the padded input. Kernel positions of the same column whose rows lie whole lines apart share a
/// plane, which has `more_rows` more than the result.
struct GradientPlane {
  std::int64_t row, column, more_rows, start;
};

/// Adds to `sums` what some rows of some images contribute to the weights' gradient, the sum over pixels of (q - zero_point) * dy: rows of
/// planes (16 of them, `row_stride` apart, are a block) by pairs of pixels of 16 output channels.
struct WeightGradient {
  const std::uint8_t* q;     ///< [images][C, H, W], C channels of an image that may have more
  std::int64_t image_bytes;  ///< from image to image
  bool is_signed;
  std::int32_t zero_point;
  const float* dy;  ///< [images, O, OH, OW]
  std::int64_t images, in_channels, in_height, in_width, out_channels, out_height, out_width;
  std::int64_t pitch;  ///< out_width, or up to a multiple of gradient_tile: what lies between counts as 0
  std::int64_t stride_h, stride_w, top, left;
  std::int64_t first_row, rows;  ///< of the result
  const GradientPlane* planes;
  std::int64_t plane_count;
  std::int64_t channel_positions, image_positions;
  const std::int32_t* block_starts;  ///< [block], in an image
  std::int64_t blocks, row_stride;
  std::int64_t lines, line_pixels;  ///< of the padded input, with what is read behind them
  std::uint16_t* padded;            ///< scratch: [lines][line_pixels]
  std::uint16_t* inputs;            ///< scratch: [image][C][channel_positions] and what blocks read behind it
  std::uint16_t* parts;             ///< scratch: [gradient_steps][part][gradient_depth / 2][16][2]
  float* sums;                      ///< [block][O / 16][16][16]
};

/// Those pixels of the input's gradient, every stride_h-th row and stride_w-th column, that the same kernel positions read: to them it is a
/// convolution of dy with stride 1.
struct InputPart {
  const std::uint16_t* weights;  ///< [C / 16][step][gradient_depth / 2][16][2]
  const std::int32_t* rows;      ///< [step]: of dy, in the planes, that the first pixel reads
  std::int64_t steps;            ///< 0 where nothing reads these pixels: they are 0
};

/// The gradient of a convolution by its input, one image: dx[c, h, w] = the sum over steps of weights * scale * dy.
///
/// dy, times the scale of its channel, is copied with the padding of the transposed convolution: pixel (r, i) to position first_position +
/// r * pitch + i of planes whose rows, a line each, are channels. Two bfloat16s stand side by side:
/// * more than 16 channels: plane part + 3 * g has channels 32 * g + j and 32 * g + 16 + j. A step takes the three parts.
/// * otherwise: plane 0 has the first and the second part of channel j, plane 1 the third of this pixel and of the next one.
struct InputGradient {
  const float* dy;     ///< [O, OH, OW]
  const float* scale;  ///< [O], up to a multiple of gradient_depth
  std::int64_t out_channels, out_height, out_width, in_channels, in_height, in_width;
  std::int64_t stride_h, stride_w;
  std::int64_t first_position, pitch;
  std::int64_t plane_positions;  ///< with what is read behind them
  bool narrow;                   ///< at most 16 channels
  std::uint16_t* planes;         ///< scratch: [plane][position][gradient_depth]; zero where it is never written: in the padding
  float* transposed;             ///< scratch: input_gradient_floats(stride_w)
  const InputPart* parts;        ///< [stride_h][stride_w], by the first row and column of dx
  float* dx;                     ///< [C, H, W]
};

/// Rows of the float operand of a product, in parts, each scaled: a step of its depth has pairs of elements k and k + 16.
struct MatrixRows {
  const float* from;    ///< the first of gradient_tile rows
  std::int64_t rows;    ///< that there are, at most gradient_tile; those behind are 0
  std::int64_t stride;  ///< from row to row, or transposed from one element of the depth to the next
  bool transposed;      ///< [depth, rows]
  std::int64_t depth;
  const float* scale;  ///< [depth], up to a multiple of gradient_depth
  std::uint16_t* to;   ///< [step][part][16][gradient_depth]
};

/// Some columns of a product of floats, in parts, with integers: y = the sum over k of rows[k] * (q[k] - zero_point).
struct MatrixColumns {
  const std::uint16_t* parts;  ///< [row / 16] of MatrixRows::to
  std::int64_t rows, depth, columns;
  const std::uint8_t* q;  ///< [depth, columns]
  std::int64_t q_stride;
  bool is_signed;
  std::int32_t zero_point;
  std::uint16_t* panel;  ///< scratch: [step][column / 16][gradient_depth / 2][16][2]
  float* y;              ///< [rows, columns]
  std::int64_t y_stride;
};
inline constexpr std::int64_t matrix_columns = 64;  ///< most columns at a time

/// Blocks of 16 pixels by 16 channels that are computed together.
inline constexpr std::int64_t input_gradient_blocks = 4;
inline constexpr std::int64_t input_gradient_floats(std::int64_t stride_w) {
  return stride_w * input_gradient_blocks * gradient_sums;
}

}  // namespace stair::backends::int8
