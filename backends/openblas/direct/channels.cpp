#include "backends/openblas/direct/channels.h"

#include <algorithm>
#include <array>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t products_of_worker = 500'000;       // what a thread must have to do before waking another pays
constexpr std::int64_t second_level_weights = 256 * 1024;  // floats that stay in the cache from image to image

}  // namespace

ChannelConvolution::ChannelConvolution(const Window& g)
    : Algorithm("direct, vectors of channels"),
      window_(g),
      panels_(g.group_out(), g.group_in() * g.kernel_height * g.kernel_width),
      source_(g, source_rows(g, g.images * g.groups == 1 && panels_.count() == 1), 1),
      tiles_(piece_count(g.out_height, source_.rows())) {
  for (std::int64_t r = 0; r < source_.rows(); ++r) {
    for (std::int64_t i = 0; i < g.out_width; ++i) positions_.push_back(static_cast<std::int32_t>(r * source_.pitch() + i));
  }
  // Whole cache lines of the result.
  position_step_ = (balanced(source_.rows() * g.out_width, most_positions) + 15) / 16 * 16;
}

std::int64_t ChannelConvolution::packed_floats() const {
  return window_.groups * panels_.packed_floats();
}

void ChannelConvolution::pack(const float* w, float* packed, int threads) const {
  const auto taps = static_cast<std::int64_t>(source_.offsets().size());
  for (std::int64_t group = 0; group < window_.groups; ++group) {
    panels_.pack({w + group * window_.group_out() * taps, taps, true}, packed + group * panels_.packed_floats(), threads);
  }
}

std::size_t ChannelConvolution::thread_floats() const {
  return static_cast<std::size_t>(source_.floats() + position_step_ * panels_.width(0));
}

std::size_t ChannelConvolution::scratch_bytes(int threads) const {
  return static_cast<std::size_t>(threads) * thread_floats() * sizeof(float);
}

ChannelConvolution::Tile ChannelConvolution::tile(std::int64_t task) const {
  const std::int64_t first = task % tiles_ * source_.rows();
  return {task / tiles_ / window_.groups, task / tiles_ % window_.groups, first, std::min(source_.rows(), window_.out_height - first)};
}

void ChannelConvolution::run_panel(const Tile& tile, std::int64_t panel, const float* source, const float* packed, const Finish& finish,
                                   float* y, float* sums) const {
  const Window& g = window_;
  const std::int64_t plane = g.out_height * g.out_width;
  const std::int64_t width = panels_.width(panel);
  const std::int64_t channels = panels_.channels(panel);
  const std::int64_t channel = tile.group * g.group_out() + panels_.first_channel(panel);
  const std::int64_t pixels = tile.rows * g.out_width;
  for (std::int64_t first = 0; first < pixels; first += position_step_) {
    const std::int64_t count = std::min(position_step_, pixels - first);
    panels_.multiply(panel, packed + tile.group * panels_.packed_floats(),
                     {source, source_.offsets().data(), positions_.data() + first, count}, sums);
    const std::int64_t at = (tile.image * g.out_channels + channel) * plane + tile.first_row * g.out_width + first;
    loops().store_channels(
        {sums, width, count, channels, {&finish, channel, finish.other == nullptr ? nullptr : finish.other + at, y + at, plane}});
  }
}

void ChannelConvolution::run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const {
  const Window& g = window_;
  const std::int64_t in_plane = g.in_height * g.in_width;
  const std::int64_t products =
      g.images * g.out_channels * g.out_height * g.out_width * static_cast<std::int64_t>(source_.offsets().size());
  const auto workers = static_cast<int>(std::clamp<std::int64_t>(products / products_of_worker, 1, threads));
  const std::int64_t tasks = g.images * g.groups * tiles_;
  // Many weights are read once for all images, and few images have too few tiles to share: then threads share out panels, too.
  std::int64_t parts = 1;
  if (panels_.packed_floats() > second_level_weights) {
    parts = panels_.count();
  } else if (tasks % workers != 0 && tasks <= 8 * workers) {
    parts = std::min<std::int64_t>(workers, panels_.count());
  }
  // What lies in the memory of a slot.
  struct Read {
    std::int64_t task;
    const float* source;
  };
  std::array<Read, most_threads> read_by;
  std::fill_n(read_by.begin(), std::min(workers, most_threads), Read{-1, nullptr});
  parallel_for(tasks * parts, workers, [&](std::int64_t i, int slot) {
    float* memory = reinterpret_cast<float*>(scratch) + static_cast<std::size_t>(slot) * thread_floats();
    float* sums = memory + source_.floats();
    Read& read = read_by[static_cast<std::size_t>(slot)];
    const std::int64_t task = i % tasks;
    const Tile at = tile(task);
    if (read.task != task)
      read = {task, source_.at(x + (at.image * g.in_channels + at.group * g.group_in()) * in_plane, at.first_row, memory)};
    const std::int64_t part = i / tasks;
    for (std::int64_t panel = part * panels_.count() / parts; panel < (part + 1) * panels_.count() / parts; ++panel) {
      run_panel(at, panel, read.source, packed, finish, y, sums);
    }
  });
}

}  // namespace stair::backends::openblas::direct
