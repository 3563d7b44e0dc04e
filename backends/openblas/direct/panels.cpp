#include "backends/openblas/direct/panels.h"

#include <algorithm>

#include "backends/openblas/parallel.h"
#include "backends/openblas/product.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t cached_weights = 6 * 1024;
constexpr std::int64_t whole_weights = 8 * 1024;  // that are still better off in one step

}  // namespace

Panels::Panels(std::int64_t channels, std::int64_t taps) : channels_(channels), taps_(taps) {
  const std::int64_t vectors = piece_count(channels, loops().lanes);
  width_ = balanced(vectors, loops().panel_vectors) * loops().lanes;
  count_ = piece_count(channels, width_);
  step_ = taps * width_ <= whole_weights ? taps : balanced(taps, cached_weights / width_);
}

std::int64_t Panels::channels(std::int64_t panel) const {
  return std::min(width_, channels_ - first_channel(panel));
}

std::int64_t Panels::width(std::int64_t panel) const {
  return piece_count(channels(panel), loops().lanes) * loops().lanes;
}

std::int64_t Panels::packed_floats() const {
  return (first_channel(count_ - 1) + width(count_ - 1)) * taps_;
}

void Panels::pack(Matrix w, float* packed, int threads) const {
  for_items(count_, threads, [&](std::int64_t panel) {
    float* to = packed + first_channel(panel) * taps_;
    for (std::int64_t tap = 0; tap < taps_; tap += step_) pack_step(w, panel, tap, to + tap * width(panel));
  });
}

void Panels::pack_step(Matrix w, std::int64_t panel, std::int64_t tap, float* to) const {
  const std::int64_t count = std::min(step_, taps_ - tap);
  const float* from = part(w, tap, first_channel(panel)).data;
  if (w.transposed) {
    if (channels(panel) < width(panel)) std::fill_n(to, width(panel) * count, 0.0F);
    loops().transpose(from, w.stride, channels(panel), count, to, width(panel));
  } else {
    loops().copy_rows({from, w.stride, 1, count, width(panel), 0, channels(panel), to});
  }
}

void Panels::multiply(std::int64_t panel, const float* packed, const Positions& positions, float* sums) const {
  const std::int64_t across = width(panel);
  const float* weights = packed + first_channel(panel) * taps_;
  for (std::int64_t tap = 0; tap < taps_; tap += step_, weights += step_ * across) {
    const Ahead ahead{weights + step_ * across, step_ * line_floats, piece_count(across, line_floats), line_floats};
    multiply_step(panel, tap, weights, ahead, positions, sums, across);
  }
}

void Panels::multiply_step(std::int64_t panel, std::int64_t tap, const float* packed_step, const Ahead& ahead, const Positions& positions,
                           float* sums, std::int64_t sums_stride) const {
  Panel step{};
  step.source = positions.source;
  step.offsets = positions.offsets + tap;
  step.taps = std::min(step_, taps_ - tap);
  step.weights = packed_step;
  step.vectors = width(panel) / loops().lanes;
  step.positions = positions.positions;
  step.position_count = positions.count;
  step.sums = sums;
  step.sums_stride = sums_stride;
  step.adds = tap > 0;
  step.weights_ahead = ahead;
  loops().panel(step);
}

}  // namespace stair::backends::openblas::direct
