#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ir/random.h"

namespace stair::tests {

/// The random choices of one case, one after another: a function of the kind of case and of its number alone.
class Draws {
 public:
  Draws(std::uint64_t stream, std::uint64_t number) : numbers_(number, stream, 0) {}
  /// 0 to n - 1; 0 where n is 0.
  std::uint64_t below(std::uint64_t n) {
    const std::uint64_t bits = numbers_.bits(next_++);
    return n == 0 ? 0 : bits % n;
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& of(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  ir::RandomNumbers numbers_;
  std::uint64_t next_ = 0;
};

}  // namespace stair::tests
