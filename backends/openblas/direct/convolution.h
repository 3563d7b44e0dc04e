#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/source.h"

namespace stair::backends::openblas::direct {

/// In vectors along the pixels.
class Convolution : public Algorithm {
 public:
  explicit Convolution(const Window& window);

  /// Weights are packed as [group][block of channels][tap][channel].
  std::int64_t packed_floats() const override;
  void pack(const float* w, float* packed, int threads) const override;
  std::size_t scratch_bytes(int threads) const override;
  void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const override;

 private:
  struct Item {
    std::int64_t image, group, first_row, first_block, last_block;
  };

  /// How the positions of a tile are cut into blocks.
  struct Cut {
    std::vector<Block> blocks;
    std::vector<Run> runs;
  };

  std::int64_t blocks_of_group() const;
  std::size_t floats_of_thread() const;
  Cut cut(std::int64_t rows) const;
  void run_item(const Item& item, const float* x, const float* packed, const Finish& finish, float* y, float* memory) const;

  Window window_;
  Source source_;
  std::int64_t channels_;  ///< of a block
  Cut whole_, last_;       ///< of a tile, and of the last one, which may have fewer rows
};

}  // namespace stair::backends::openblas::direct
