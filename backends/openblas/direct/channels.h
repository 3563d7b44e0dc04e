#pragma once

#include <vector>

#include "backends/openblas/direct/algorithm.h"
#include "backends/openblas/direct/panels.h"
#include "backends/openblas/direct/source.h"

namespace stair::backends::openblas::direct {

/// In vectors along the output channels: no lane is lost to short rows, and weights are read in the order in which they lie. For many
/// channels.
class ChannelConvolution : public Algorithm {
 public:
  explicit ChannelConvolution(const Window& window);

  std::int64_t packed_floats() const override;
  void pack(const float* w, float* packed, int threads) const override;
  std::size_t scratch_bytes(int threads) const override;
  void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const override;

 private:
  struct Tile {
    std::int64_t image, group, first_row, rows;
  };

  Tile tile(std::int64_t task) const;
  std::size_t thread_floats() const;
  void run_panel(const Tile& tile, std::int64_t panel, const float* source, const float* packed, const Finish& finish, float* y,
                 float* sums) const;

  Window window_;
  Panels panels_;  ///< of a group
  Source source_;
  std::int64_t tiles_;  ///< of an image
  std::int64_t position_step_;
  std::vector<std::int32_t> positions_;  ///< of a tile
};

}  // namespace stair::backends::openblas::direct
