#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace stair::backends::openblas {

/// So many floats, rounded up to whole cache lines.
inline std::int64_t line_up(std::int64_t floats) {
  return (floats + 15) / 16 * 16;
}

/// Floats that a kernel keeps, from a cache line on: vectors of them don't reach over its end.
class AlignedFloats {
 public:
  AlignedFloats() = default;
  explicit AlignedFloats(std::int64_t count)
      : bytes_(static_cast<std::size_t>(count) * sizeof(float)),
        data_(static_cast<float*>(std::aligned_alloc(line, (bytes_ / line + 1) * line))) {}
  bool empty() const { return data_ == nullptr; }
  float* data() const { return data_.get(); }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t line = 64;
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::size_t bytes_ = 0;
  std::unique_ptr<float, Free> data_;
};

}  // namespace stair::backends::openblas
