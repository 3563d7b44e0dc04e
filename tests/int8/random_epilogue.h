#pragma once

#include <cstdint>
#include <vector>

#include "backends/int8/kernels.h"
#include "tests/int8/random.h"

namespace stair::tests {

/// An epilogue of a random kind for `channels` channels, with the memory behind it, and what it must yield by ir/numerics.h.
struct RandomEpilogue {
  backends::int8::Epilogue epilogue;
  bool result_signed = false;

  /// `magnitude`: about how large sums get, so that results don't all lie at the ends of the range.
  RandomEpilogue(Random& random, std::int64_t channels, std::int64_t magnitude);
  RandomEpilogue(const RandomEpilogue&) = delete;
  RandomEpilogue& operator=(const RandomEpilogue&) = delete;

  std::int64_t result_bytes() const;
  /// The bits of the result for a sum of channel c; `other` is the operand of the residual addition.
  std::uint32_t expected(std::int32_t sum, std::int64_t c, std::uint8_t other) const;

 private:
  std::vector<std::int32_t> offset_, mantissa_, left_, right_;
  std::vector<float> multiplier_, steps_;
};

}  // namespace stair::tests
