#pragma once

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace stair::backends::int8 {

inline std::int64_t quotient_up(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

inline std::int64_t whole(std::int64_t count, std::int64_t unit) {
  return quotient_up(count, unit) * unit;
}

inline constexpr std::size_t cache_line = 64;
inline std::size_t whole_lines(std::size_t bytes) {
  return (bytes + cache_line - 1) / cache_line * cache_line;
}

/// Whole lines from the beginning of `memory`, which then begins behind them.
inline std::byte* take(std::byte*& memory, std::size_t bytes) {
  std::byte* taken = memory;
  memory += whole_lines(bytes);
  return taken;
}

/// Memory that begins at a cache line, in huge pages where it fills one: weights that stream from the third-level cache then don't wait for
/// the translation of their addresses.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes) {
    constexpr std::size_t huge_page = std::size_t{2} << 20;
    const std::size_t unit = bytes >= huge_page ? huge_page : cache_line;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(unit, (bytes / unit + 1) * unit)));
#if defined(MADV_HUGEPAGE)
    if (unit == huge_page) madvise(data_.get(), bytes / unit * unit, MADV_HUGEPAGE);  // a hint, whatever it returns
#endif
  }
  std::byte* data() const {
    return data_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
};

}  // namespace stair::backends::int8
