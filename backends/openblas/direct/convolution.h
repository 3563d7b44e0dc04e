#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/direct/planes.h"

namespace stair::backends::openblas::direct {

/// What follows the sums of a channel on their way to memory, in this order, each rounded on its own.
struct Finish {
  const float* bias = nullptr;  ///< y + bias[c]
  const float* mean = nullptr;  ///< batch-norm by running statistics: (y - mean[c]) * factor[c] + beta[c]
  const float* factor = nullptr;
  const float* beta = nullptr;
  const float* other = nullptr;  ///< y + other, elements of y's place
  bool clamps = false;           ///< y where it is above low, else low; high where it is above that
  float low = 0, high = 0;
};

/// y[n, o] = the sum over c, kh, kw (in this order) of x * w, in vectors along the pixels; no im2col matrix.
class Convolution {
 public:
  explicit Convolution(const Window& window);

  /// Floats of the packed weights: [group][block of channels][tap][channel].
  std::int64_t packed_floats() const;
  /// w is [O, C/groups, KH, KW].
  void pack(const float* w, float* packed, int threads) const;

  std::size_t scratch_bytes() const;
  void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const;

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
  Planes planes_;
  std::int64_t channels_;  ///< of a block
  Cut whole_, last_;       ///< of a tile, and of the last one, which may have fewer rows
};

}  // namespace stair::backends::openblas::direct
