#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/openblas/aligned.h"
#include "backends/openblas/direct/panels.h"
#include "backends/openblas/sgemm.h"

namespace stair::backends::openblas::direct {

/// c[m, n] = a[m, k] b[k, n] + bias[n], all dense, in vectors along the columns. b is packed beforehand, or on the way a step at a time
/// that stays in the first-level cache; a is read in place. So little is copied that few rows pay for it, where OpenBLAS packs all of
/// both. Each element is one thread's, and its terms are added in the order of k.
class Product {
 public:
  /// Whether that is faster than sgemm, b packed on the way: where rows pay for packing and columns for reading a in place. OpenBLAS
  /// multiplies small matrices without packing either, and its packing costs less where vectors are shorter than AVX-512's.
  static bool takes(std::int64_t m, std::int64_t n, std::int64_t k);

  Product(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed_a = false);

  /// "avx512 packed, vectors of columns".
  const std::string& description() const { return description_; }

  std::int64_t packed_floats() const { return panels_.packed_floats(); }
  void pack(Matrix b, float* packed, int threads) const { panels_.pack(b, packed, threads); }

  /// Of the memory that run() needs with at most so many threads.
  std::size_t scratch_bytes(int threads) const;
  /// `packed` is nullptr, or b is not read; `bias` may be nullptr.
  void run(const float* a, Matrix b, const float* packed, const float* bias, float* c, std::byte* scratch, int threads) const;

 private:
  std::int64_t step_floats() const { return panels_.step() * panels_.width(0); }
  std::int64_t thread_floats() const { return step_floats() + row_step_ * panels_.width(0); }
  std::int64_t transposed_floats() const { return transposed_a_ ? line_up(m_ * k_) : 0; }
  void transpose(const float* a, float* transposed, int threads) const;
  Ahead ahead(Matrix b, std::int64_t panel, std::int64_t tap) const;
  bool finishes_at_once(std::int64_t panel, const float* bias) const;
  void store(std::int64_t panel, std::int64_t rows, const float* sums, const float* bias, float* c) const;

  std::int64_t m_, n_, k_;
  bool transposed_a_;  ///< a lies as [k, m]
  Panels panels_;
  std::int64_t row_step_;
  std::vector<std::int32_t> offsets_, rows_;
  std::string description_;
};

}  // namespace stair::backends::openblas::direct
