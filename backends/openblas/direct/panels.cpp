#include "backends/openblas/direct/panels.h"

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"
#include "backends/openblas/transpose.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t cached_weights = 6 * 1024;

}  // namespace

Panels::Panels(std::int64_t channels, std::int64_t taps) : channels_(channels), taps_(taps) {
  const std::int64_t vectors = piece_count(channels, loops().lanes);
  width_ = balanced(vectors, loops().panel_vectors) * loops().lanes;
  count_ = piece_count(channels, width_);
  tap_step_ = balanced(taps, cached_weights / width_);
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

void Panels::pack(const float* w, float* packed, int threads) const {
  for_items(count_, threads, [&](std::int64_t panel) {
    const std::int64_t first = first_channel(panel);
    float* to = packed + first * taps_;
    if (channels(panel) < width(panel)) std::fill_n(to, width(panel) * taps_, 0.0F);
    transpose(w + first * taps_, taps_, channels(panel), taps_, to, width(panel));
  });
}

void Panels::multiply(std::int64_t panel, const float* packed, const float* source, const std::int32_t* offsets,
                      const std::int32_t* positions, std::int64_t position_count, float* sums) const {
  Panel part{};
  part.source = source;
  part.vectors = width(panel) / loops().lanes;
  part.positions = positions;
  part.position_count = position_count;
  part.sums = sums;
  for (std::int64_t tap = 0; tap < taps_; tap += tap_step_) {
    part.offsets = offsets + tap;
    part.taps = std::min(tap_step_, taps_ - tap);
    part.ahead = std::min(tap_step_, taps_ - tap - part.taps);
    part.weights = packed + first_channel(panel) * taps_ + tap * width(panel);
    part.adds = tap > 0;
    loops().panel(part);
  }
}

}  // namespace stair::backends::openblas::direct
