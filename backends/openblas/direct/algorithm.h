#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backends/openblas/direct/finish.h"
#include "backends/window.h"

namespace stair::backends::openblas::direct {

/// A way to compute y[n, o] = the sum over c, kh, kw (in this order) of x * w for one window; x is [N,C,H,W], w [O,C/groups,KH,KW]. Each
/// element is one thread's, and its terms are added in that order: any number of threads yields the same bits, and so do all ways but
/// Winograd's, whose terms are others.
class Algorithm {
 public:
  virtual ~Algorithm() = default;
  /// The instruction set and `how`: "avx512 direct, vectors of pixels".
  std::string_view description() const { return description_; }
  /// Floats of the packed weights.
  virtual std::int64_t packed_floats() const = 0;
  virtual void pack(const float* w, float* packed, int threads) const = 0;
  /// Of the memory that run() needs with at most so many threads.
  virtual std::size_t scratch_bytes(int threads) const = 0;
  virtual void run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const = 0;

 protected:
  explicit Algorithm(std::string_view how);

 private:
  std::string description_;
};

/// The fastest for this window.
std::unique_ptr<Algorithm> algorithm(const Window& window);

}  // namespace stair::backends::openblas::direct
