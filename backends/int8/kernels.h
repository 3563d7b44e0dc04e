#pragma once

// The primitives of the int8 engine: what each instruction set implements on raw memory. Everything above them (planning, packing, threads,
// nodes) is shared and built for the baseline.
//
// A variant's files are built with its instructions switched on. So that the linker can't pick a copy made there for an older processor,
// they include nothing that has inline functions with external linkage: this header has plain structs only, vector.h and templates/*.h
// stand in unnamed namespaces, and there is no std:: template.

#include <cstddef>
#include <cstdint>

#include "backends/int8/gradient_kernels.h"
#include "backends/int8/isa.h"

namespace stair::backends::int8 {

/// How an int32 sum becomes a result.
enum class Rescale : std::uint8_t {
  none,      ///< i32: the sum itself
  floating,  ///< N-REQ-FLOAT (and N-REQ-POW2)
  fixed,     ///< N-REQ-FIXED
  logits     ///< N-LOGITS: f32
};

/// What follows a requantization in the same kernel: a residual addition.
enum class Join : std::uint8_t {
  none,
  point,  ///< N-POINT: point_binary 'add' or 'sub'
  fixed   ///< N-REQ-FIXED: add_fixed
};

/// N-REQ-FIXED: ir::FixedMultiplier with its shift taken apart; both shifts are >= 0 and one of them is 0.
struct FixedPoint {
  std::int32_t mantissa = 0, left = 0, right = 0;
};

/// The addition of another quantized tensor to the requantized one.
struct Residual {
  Join join = Join::none;
  bool other_signed = false;                    ///< s8, else u8
  std::int32_t own_zero = 0, other_zero = 0;    ///< zero points of the operands
  float own_scale = 0, other_scale = 0;         ///< point; the negative scale of the operand that is subtracted
  float scale = 1;                              ///< point: s_y
  FixedPoint own_fixed, other_fixed, fixed;     ///< fixed
  std::int32_t own_sign = 1, other_sign = 1;    ///< fixed: -1 for the operand that is subtracted
  std::int32_t zero_point = 0, lo = 0, hi = 0;  ///< of the result
};

/// What happens to sums on their way to memory. Parameters of channels are arrays with an element for each channel; 16 more may be read
/// behind the last.
struct Epilogue {
  Rescale rescale = Rescale::none;
  const std::int32_t* offset = nullptr;    ///< added to the sum in int32: integer bias and the correction for zero points
  const float* multiplier = nullptr;       ///< floating, logits
  const std::int32_t* mantissa = nullptr;  ///< fixed
  const std::int32_t* left = nullptr;      ///< fixed: shifts, >= 0
  const std::int32_t* right = nullptr;
  const float* steps = nullptr;  ///< a float bias, added behind the rescale (fixed: shifts are larger by 8), or nullptr
  std::int32_t zero_point = 0, lo = 0, hi = 0;
  Residual residual;
};

/// A block of sums and where its results go. Strides of results in bytes; `other` is the operand of the residual addition.
struct Tile {
  const std::int32_t* sums;
  std::int64_t sums_stride;  ///< elements from row to row
  std::int64_t rows, first_channel, channels;
  std::byte* to;  ///< row 0, channel first_channel
  std::int64_t to_stride;
  const std::uint8_t* other;
  std::int64_t other_stride;
};

/// Sums of products of rows of activations with weights, and their epilogue: the core of convolutions, linear layers and matrix products.
///
/// Row (line, column) of `lines` x `columns` begins at activations + line * line_stride + column * row_stride. Its k axis is `runs` runs of
/// groups * 4 neighbouring bytes; run r begins run_offsets[r] bytes behind the row's begin. line_stride is a multiple of row_stride.
///
/// Weights are packed in panels of Kernels::panel channels: [panel][run][group][channel of the panel][4], zero where channels or k end.
///
/// Narrow weights, of 4 or 2 bits, share bytes: [panel][run][word][channel of the panel][4], where a byte of word w holds those of the
/// groups w * (8 / bits) + (0, 1, …) from its low bits on. They are multiplied as they stand in the high bits, that is 2^(8 - bits) times
/// as large; 255 * 128 times the k axis must fit int32.
struct Product {
  const std::uint8_t* activations;
  std::int64_t lines, columns, line_stride, row_stride;
  const std::int32_t* run_offsets;
  std::int64_t runs, groups;
  std::int64_t groups_per_step;  ///< divides groups; at most 16: what an AMX tile takes at once
  bool slack;                    ///< 32 rows behind the last one may be read
  int weight_bits;               ///< 8; 4 or 2 where there are Kernels::narrow_rows rows or fewer
  const std::int8_t* weights;    ///< the panel of the first channel
  std::int64_t first_channel;    ///< a multiple of Kernels::panel
  std::int64_t channels;
  const std::int32_t* row_offsets;  ///< added to the sums of each row in int32, or nullptr
  const Epilogue* epilogue;
  std::byte* to;  ///< row 0, channel first_channel
  std::int64_t to_stride;
  const std::uint8_t* other;
  std::int64_t other_stride;
  /// Logits where Kernels::planes: the rows of a channel are neighbours, and channels stand so many floats apart. 0: the channels of a row
  /// are neighbours.
  std::int64_t plane;
};

/// Depthwise convolution: each channel by a kernel of its own. Pixel (line, column) begins at activations + line * line_stride + column *
/// pixel_stride; row r of the kernel begins row_offsets[r] bytes behind, and its taps are tap_stride apart.
///
/// Weights are packed by blocks of 4 * Kernels::panel channels: [block][row][chunk][pixel][quarter][lane][4]. Four neighbouring input
/// pixels (a chunk) serve `pixels` neighbouring results; a weight is 0 where an input pixel is no tap of the result. Channels go to
/// quarters and lanes as in vector.h, interleave4. 16 * chunks + 64 pixels behind the last one may be read.
struct Depthwise {
  const std::uint8_t* activations;
  std::int64_t lines, columns, line_stride, pixel_stride, tap_stride;
  const std::int32_t* row_offsets;
  std::int64_t rows, chunks, pixels;  ///< pixels: 1, 2 or 4
  const std::int8_t* weights;
  std::int64_t channels;  ///< from the first one on
  std::int64_t all_channels;
  const Epilogue* epilogue;
  std::byte* to;
  const std::uint8_t* other;
};

/// N-QUANT with one scale.
struct Quantization {
  float scale = 1;
  std::int32_t zero_point = 0, lo = 0, hi = 0;
};

/// What batch_norm does to a channel: (x - mean) * scale + shift.
struct NormalizedChannel {
  float mean, scale, shift;
};

/// Rows of floats, each of a channel, that are normalized and then perhaps clamped as relu and relu6 do it: at least 0, at most `most`.
struct NormalizedRows {
  const float* x;
  std::int64_t rows, length;  ///< length: a multiple of 16
  const NormalizedChannel* parameters;
  std::int64_t channels;
  std::int64_t first_channel;  ///< of the first row; the next rows are of the next channels, and behind the last one comes the first
  bool clamped;
  float most;
};

/// What N-POINT and N-REQ-FIXED do with two quantized operands: `own` is a, `other` is b.
struct Binary {
  Residual operands;      ///< of a fixed-point product the only multiplier is `fixed`
  bool multiply = false;  ///< a * b, else a + b
  bool own_signed = false;
};

/// A row of an operation on two tensors. An operand that repeats has one element for the whole row.
struct BinaryRow {
  const std::uint8_t* a;
  const std::uint8_t* b;
  bool a_repeats, b_repeats;
  std::uint8_t* y;
  std::int64_t count;
};

/// Windows side by side on an image [H,W,C], all of one size and whole inside the image. Strides in bytes.
struct Windows {
  const std::uint8_t* first;  ///< the first pixel of the first window
  std::int64_t rows, columns, row_stride, column_stride;
  std::int64_t count, stride;  ///< windows, and from one to the next
  std::int64_t channels;
  bool is_signed;
  const std::uint8_t* end;  ///< of the memory that may be read
};

/// N-SOFTMAX of rows of neighbouring elements.
struct SoftmaxRows {
  const std::int32_t* table;  ///< T
  std::int32_t mantissa, e;   ///< e: 56 - h
  std::int32_t zero_point, lo, hi;
  bool is_signed;  ///< q: s8, else u8
  std::int64_t rows, length;
};

/// N-NORM of some elements of a row, with what they share.
struct NormalizedIntegers {
  std::int32_t n, sum, factor;  ///< A, G; |n q - A| < 2^31
  int shift;                    ///< t
  const std::int32_t* gamma;    ///< g and b, an element each, or one for all
  const std::int32_t* beta;
  bool repeats;  ///< one for all
  std::int32_t k, zero_point, lo, hi;
  bool is_signed;  ///< q: s8, else u8
};

/// The primitives of one instruction set.
struct Kernels {
  Isa isa = Isa::scalar;
  std::int64_t panel = 0;           ///< channels of a panel of packed weights
  std::int64_t narrow_rows = 0;     ///< rows up to which products take narrow weights: they take less time on their way from memory
  bool tiles = false;               ///< products run on tiles of 16 rows x 16 channels
  bool planes = false;              ///< products write channels first where they are asked to (Product::plane)
  bool signed_activations = false;  ///< whether activations are s8 to the kernels; tensors of the other kind are flipped (x ^ 0x80)

  void (*epilogue)(const Epilogue& epilogue, const Tile& tile) = nullptr;
  void (*product)(const Product& product) = nullptr;
  void (*depthwise)(const Depthwise& depthwise) = nullptr;
  void (*quantize)(const Quantization& quantization, const float* x, std::uint8_t* q, std::int64_t count) = nullptr;
  /// With a bit for each element, set where low <= x <= high (backends/masks.h); the last byte is filled up with 0.
  void (*quantize_marking)(const Quantization& quantization, float low, float high, const float* x, std::uint8_t* q, std::uint8_t* bits,
                           std::int64_t count) = nullptr;
  /// The same of rows that are normalized first; bits may be nullptr. nullptr where that is as fast in several reads from the cache.
  void (*quantize_normalized)(const Quantization& quantization, const NormalizedRows& rows, float low, float high, std::uint8_t* q,
                              std::uint8_t* bits) = nullptr;
  /// Three planes, `plane` floats apart, to [count][3].
  void (*quantize_triples)(const Quantization& quantization, const float* x, std::int64_t plane, std::uint8_t* q,
                           std::int64_t count) = nullptr;
  /// N-DEQUANT.
  void (*dequantize)(const Quantization& quantization, bool is_signed, const std::uint8_t* q, float* x, std::int64_t count) = nullptr;
  void (*binary)(const Binary& operation, const BinaryRow& row) = nullptr;
  /// y[i] = table[q[i] ^ flip], 256 entries; y may be q.
  void (*lookup)(const std::uint8_t* table, std::uint8_t flip, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) = nullptr;
  /// y isn't q.
  void (*softmax)(const SoftmaxRows& rows, const std::uint8_t* q, std::uint8_t* y) = nullptr;
  /// Of u8 or s8: A and B of N-NORM.
  void (*sum_squares)(const std::uint8_t* q, bool is_signed, std::int64_t count, std::int64_t* sum, std::int64_t* squares) = nullptr;
  /// y isn't q.
  void (*norm)(const NormalizedIntegers& row, const std::uint8_t* q, std::uint8_t* y, std::int64_t count) = nullptr;
  /// The largest of each channel of each window, to [count][channels]. Up to `end` of the result, more may be written behind it.
  void (*max_windows)(const Windows& windows, std::uint8_t* to, const std::uint8_t* end) = nullptr;
  /// `start` and the sum of each channel of each window, to [count][channels] with rows `to_stride` sums apart.
  void (*sum_windows)(const Windows& windows, std::int32_t start, std::int32_t* to, std::int64_t to_stride) = nullptr;
  /// Words or bytes [rows, columns] to [columns, rows]; nullptr where transpose.h is as fast.
  void (*transpose)(const std::uint32_t* from, std::int64_t rows, std::int64_t columns, std::uint32_t* to) = nullptr;
  void (*transpose_bytes)(const std::uint8_t* from, std::int64_t rows, std::int64_t columns, std::uint8_t* to) = nullptr;
  /// nullptr where floats are as fast.
  void (*weight_gradient)(const WeightGradient& gradient) = nullptr;
  void (*input_gradient)(const InputGradient& gradient) = nullptr;
  void (*matrix_rows)(const MatrixRows& rows) = nullptr;
  void (*matrix_columns)(const MatrixColumns& columns) = nullptr;
};

/// The table of a variant that this machine has.
const Kernels& kernels_of(Isa isa);

}  // namespace stair::backends::int8
