#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/direct/loops.h"

namespace stair::backends::openblas::direct {

/// How images are cut into tiles of 2x2 results, and these into items that a thread transforms at once: whole small images, or some rows
/// of tiles of a large one.
struct WinogradTiles {
  std::int64_t down, across;  ///< of an image
  std::int64_t rows, images;  ///< of an item: rows of tiles of an image
  std::int64_t positions;     ///< for the tiles of a whole item, each image's in whole vectors

  explicit WinogradTiles(const Window& window);
  std::int64_t pixel_floats() const;
};

/// 3x3 with stride 1, by Winograd's F(2x2, 3x3) (Lavin, Gray 2015, section 4.1): results in tiles of 2x2, each from a tile of 4x4 of the
/// input, as 16 products of matrices [out, in] [in, tiles] between transforms of the weights, the input and the result. 16 products a tile
/// instead of 36; each sum runs over the input channels in order, each element is one thread's. Rounding differs from that of the other
/// ways: transforms add up to 4 terms on either side.
class WinogradConvolution : public Algorithm {
 public:
  /// Whether it takes the window and is faster: enough channels for the products to outweigh the transforms, few enough weights for the
  /// second-level cache.
  static bool takes(const Window& window);

  explicit WinogradConvolution(const Window& window) : Algorithm("winograd, vectors of tiles"), window_(window), tiles_(window) {}

  /// Transformed weights are packed as [group][element of a tile][block of channels][input channel][channel].
  std::int64_t packed_floats() const override;
  void pack(const float* w, float* packed, int threads) const override;
  std::size_t scratch_bytes(int threads) const override;
  void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const override;

 private:
  struct Item {
    std::int64_t group, first_image, images;
    std::int64_t first_row, rows;  ///< of tiles
    std::int64_t first_block, last_block;
  };
  /// Of a thread's memory.
  struct Memory {
    float* pixels;  ///< of one channel of the input or, later, of the result
    float* inputs;
    float* sums;
  };

  std::int64_t blocks_of_group() const;
  std::int64_t input_stride() const;
  std::int64_t sum_stride() const;
  std::int64_t thread_floats() const;
  Memory memory_of_slot(std::byte* scratch, int slot) const;
  void transform_image(const Item& item, const float* image, float* pixels, float* inputs) const;
  void multiply(const Item& item, const float* packed, const Memory& memory) const;
  void finish_image(const Item& item, std::int64_t image, const Finish& finish, const Memory& memory, float* y) const;
  void run_item(const Item& item, const float* x, const float* packed, const Finish& finish, float* y, const Memory& memory) const;

  Window window_;
  WinogradTiles tiles_;
};

}  // namespace stair::backends::openblas::direct
