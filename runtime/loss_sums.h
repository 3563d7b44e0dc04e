#pragma once

#include <cstdint>

namespace stair::runtime {

/// Of the steps of an unfinished epoch, for one loss of several.
struct LossSums {
  double loss = 0;
  std::int64_t correct = 0;  ///< labels, being classes, that were met
};

}  // namespace stair::runtime
