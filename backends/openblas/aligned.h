#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace stair::backends::openblas {

/// Floats that a kernel keeps, from a cache line on: vectors of them don't reach over its end.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::int64_t count)
      : data_(static_cast<float*>(std::aligned_alloc(line, (static_cast<std::size_t>(count) * sizeof(float) / line + 1) * line))) {}
  bool empty() const { return data_ == nullptr; }
  float* data() const { return data_.get(); }

 private:
  static constexpr std::size_t line = 64;
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace stair::backends::openblas
