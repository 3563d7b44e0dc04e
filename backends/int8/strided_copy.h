#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ir/type.h"

namespace stair::backends::int8 {

/// A box of elements that lies in two row-major tensors, to be copied from one to the other.
class StridedCopy {
 public:
  /// `shape` elements that begin at the index `from_origin` in a tensor of shape `from` and at `to_origin` in one of shape `to`.
  StridedCopy(const ir::Shape& shape, const ir::Shape& from, const ir::Shape& from_origin, const ir::Shape& to, const ir::Shape& to_origin,
              std::size_t element_bytes);

  void copy(const std::byte* from, std::byte* to, int threads) const;

 private:
  struct Axis {
    std::int64_t length, from, to;  // steps along it in bytes
  };
  std::vector<Axis> axes_;  // innermost first, without what is one run in both tensors
  std::int64_t run_ = 0;    // bytes
  std::int64_t rows_ = 1;   // runs by all axes but the innermost
  std::int64_t from_begin_ = 0, to_begin_ = 0;
};

}  // namespace stair::backends::int8
