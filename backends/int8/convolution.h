#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/int8/contraction.h"

namespace stair::backends::int8 {

/// An implicit matrix product: a row for each output pixel, whose k axis is `kernel height` runs of kernel width * C neighbouring bytes.
/// Rows of the input are copied with their padding a tile at a time, so that they stay in the cache; where there is nothing to pad, the
/// input is read as it lies.
class Convolution : public Contraction {
 public:
  Convolution(const Kernels& kernels, const Window& window, bool signed_input);

  std::size_t packed_bytes() const override { return packed_bytes_; }
  void pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset) const override;
  std::size_t scratch_bytes() const override { return scratch_bytes_ * max_threads; }
  void run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue, std::byte* result,
           const std::uint8_t* other, std::byte* scratch, int threads) const override;

 private:
  struct Piece {
    std::int64_t image, first_row, rows, first_channel, channels;
  };

  std::int32_t kernel_zero_point(std::int32_t zero_point) const;
  void run_piece(const Piece& piece, const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed,
                 const Epilogue& epilogue, std::byte* result, const std::uint8_t* other, std::byte* scratch) const;
  void copy_rows(const Piece& piece, const std::uint8_t* input, std::uint8_t padding, std::uint8_t* to) const;

  const Kernels& kernels_;
  Window window_;
  bool flip_;                            ///< activations of the other sign than the kernels': x ^ 0x80
  bool in_place_;                        ///< the input is read as it lies
  bool joined_;                          ///< runs are whole rows of the kernel, else single pixels
  std::int64_t row_step_, column_step_;  ///< of the input's rows and columns, each so-manieth is copied
  std::int64_t run_bytes_, runs_, groups_, groups_per_step_;
  std::int64_t panels_;          ///< a group of channels
  std::int64_t planes_;          ///< copied rows are sorted by their number modulo the stride, so that output rows are neighbours
  std::int64_t copied_columns_;  ///< pixels of a copied row
  std::int64_t tile_rows_;       ///< output rows a piece
  std::int64_t plane_rows_;      ///< copied rows of a plane and tile
  std::vector<std::int32_t> run_offsets_;
  std::size_t packed_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace stair::backends::int8
