#include "backends/openblas/direct/product.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "backends/multiversion.h"
#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t most_rows = 128;  // whose sums stay in the caches, and pay for packing

STAIR_MULTIVERSION void add_bias(const float* sums, const float* bias, float* y, std::int64_t count) {
  STAIR_SIMD
  for (std::int64_t i = 0; i < count; ++i) y[i] = sums[i] + bias[i];
}

}  // namespace

bool Product::takes(std::int64_t m, std::int64_t n, std::int64_t k) {
  return loops().lanes == most_lanes && m >= 64 && n >= 512 && k >= 64;
}

Product::Product(std::int64_t m, std::int64_t n, std::int64_t k, bool transposed_a)
    : m_(m),
      n_(n),
      k_(k),
      transposed_a_(transposed_a),
      panels_(n, k),
      row_step_(balanced(m, most_rows)),
      offsets_(static_cast<std::size_t>(k)),
      description_(std::string(loops().name) + " packed, vectors of columns") {
  std::iota(offsets_.begin(), offsets_.end(), 0);
  for (std::int64_t row = 0; row < row_step_; ++row) rows_.push_back(static_cast<std::int32_t>(row * k));
}

std::size_t Product::scratch_bytes(int threads) const {
  return static_cast<std::size_t>(transposed_floats() + threads * thread_floats()) * sizeof(float);
}

void Product::transpose(const float* a, float* transposed, int threads) const {
  constexpr std::int64_t block = 64;
  for_items(piece_count(m_, block), threads, [&](std::int64_t item) {
    const std::int64_t row = item * block;
    loops().transpose(a + row, m_, k_, std::min(block, m_ - row), transposed + row * k_, k_);
  });
}

// The weights behind the step that begins with `tap`, of this panel or the next.
Ahead Product::ahead(Matrix b, std::int64_t panel, std::int64_t tap) const {
  const bool last = tap + panels_.step() >= k_;
  if (last && panel + 1 == panels_.count()) return {};
  const float* from = part(b, last ? 0 : tap + panels_.step(), panels_.first_channel(last ? panel + 1 : panel)).data;
  const std::int64_t across = b.transposed ? panels_.step() : panels_.width(panel);
  return {from, line_floats, piece_count(across, line_floats), b.stride};
}

// Whether the sums of the panel's first step are the result, so that they can be written there.
bool Product::finishes_at_once(std::int64_t panel, const float* bias) const {
  return panels_.step() >= k_ && bias == nullptr && panels_.channels(panel) == panels_.width(panel);
}

void Product::store(std::int64_t panel, std::int64_t rows, const float* sums, const float* bias, float* c) const {
  const std::int64_t column = panels_.first_channel(panel);
  for (std::int64_t i = 0; i < rows; ++i, sums += panels_.width(panel)) {
    float* to = c + i * n_ + column;
    if (bias != nullptr) {
      add_bias(sums, bias + column, to, panels_.channels(panel));
    } else {
      std::copy_n(sums, panels_.channels(panel), to);
    }
  }
}

void Product::run(const float* a, Matrix b, const float* packed, const float* bias, float* c, std::byte* scratch, int threads) const {
  auto* memory = reinterpret_cast<float*>(scratch);
  if (transposed_a_) {
    transpose(a, memory, threads);
    a = memory;
    memory += transposed_floats();
  }
  const std::int64_t steps = piece_count(m_, row_step_);
  std::array<std::int64_t, most_threads> held_by;  // the panel whose only step is packed, by slot
  std::fill_n(held_by.begin(), std::min(threads, most_threads), -1);
  parallel_for(panels_.count() * steps, threads, [&](std::int64_t item, int slot) {
    float* weights = memory + slot * thread_floats();
    float* sums = weights + step_floats();
    std::int64_t& held = held_by[static_cast<std::size_t>(slot)];
    const std::int64_t panel = item / steps;
    const std::int64_t first = item % steps * row_step_;
    const Panels::Positions positions{a + first * k_, offsets_.data(), rows_.data(), std::min(row_step_, m_ - first)};
    if (packed != nullptr) {
      panels_.multiply(panel, packed, positions, sums);
      store(panel, positions.count, sums, bias, c + first * n_);
    } else if (finishes_at_once(panel, bias)) {
      if (held != panel) panels_.pack_step(b, panel, 0, weights);
      held = panel;
      panels_.multiply_step(panel, 0, weights, {}, positions, c + first * n_ + panels_.first_channel(panel), n_);
    } else {
      held = -1;  // items come in any order
      for (std::int64_t tap = 0; tap < k_; tap += panels_.step()) {
        panels_.pack_step(b, panel, tap, weights);
        panels_.multiply_step(panel, tap, weights, ahead(b, panel, tap), positions, sums, panels_.width(panel));
      }
      store(panel, positions.count, sums, bias, c + first * n_);
    }
  });
}

}  // namespace stair::backends::openblas::direct
