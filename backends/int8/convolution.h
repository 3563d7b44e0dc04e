#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/int8/contraction.h"
#include "backends/int8/row_copy.h"

namespace stair::backends::int8 {

/// An implicit matrix product: a row for each output pixel, whose k axis is `kernel height` runs of kernel width * C neighbouring bytes.
/// Rows of the input are copied with their padding a tile at a time, so that they stay in the cache; where there is nothing to pad, the
/// input is read as it lies.
class Convolution : public Contraction {
 public:
  /// Weights fit `weight_bits` bits: 8, or 4 or 2 where there are few rows (kernels.h, Product).
  Convolution(const Kernels& kernels, const Window& window, bool signed_input, int weight_bits = 8, bool channels_first = false);

  bool channels_first() const override { return plane_ > 0; }
  std::size_t packed_bytes() const override { return packed_bytes_; }
  void pack(const std::int8_t* weights, std::int32_t zero_point, std::int8_t* packed, std::int32_t* offset, int threads) const override;
  std::size_t scratch_bytes(int threads) const override { return scratch_bytes_ * static_cast<std::size_t>(threads); }
  void run(const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed, const Epilogue& epilogue, std::byte* result,
           const std::uint8_t* other, std::byte* scratch, int threads) const override;

 private:
  /// `groups` groups of a run from `first` on, of the weights [C/groups,KH,KW] of one channel; behind the run's end zeros.
  void copy_run(const std::int8_t* weights, std::int64_t run, std::int64_t first, std::int64_t groups, std::int8_t* to) const;
  /// The weights of `channels` channels, a panel's or fewer.
  void pack_wide(const std::int8_t* weights, std::int64_t channels, std::int8_t* panel) const;

  std::int64_t panel_bytes() const;

  struct Piece {
    std::int64_t image, first_row, rows, first_channel, channels;
  };

  void run_piece(const Piece& piece, const std::uint8_t* input, std::int32_t zero_point, const std::int8_t* packed,
                 const Epilogue& epilogue, std::byte* result, const std::uint8_t* other, std::byte* scratch) const;

  const Kernels& kernels_;
  Window window_;
  RowCopy copy_;
  int weight_bits_;
  bool in_place_;       ///< the input is read as it lies
  std::int64_t plane_;  ///< pixels of an image's result, if that is [O,OH,OW]; else 0
  bool joined_;         ///< runs are whole rows of the kernel, else single pixels
  std::int64_t run_bytes_, runs_, groups_, groups_per_step_;
  std::int64_t panels_;     ///< a group of channels
  std::int64_t tile_rows_;  ///< output rows a piece
  std::vector<std::int32_t> run_offsets_;
  std::size_t packed_bytes_ = 0, scratch_bytes_ = 0;
};

}  // namespace stair::backends::int8
