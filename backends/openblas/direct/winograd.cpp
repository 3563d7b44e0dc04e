#include "backends/openblas/direct/winograd.h"

#include <algorithm>

#include "backends/openblas/aligned.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t least_work = 500'000;  // products that a thread must have to do before waking another pays

// Tiles of an item: whose transforms stay in the second-level cache.
std::int64_t most_tiles(const Window& g) {
  constexpr std::int64_t channels_by_tiles = 12 * 1024;
  return std::clamp<std::int64_t>(channels_by_tiles / (g.group_in() + g.group_out()), 48, 160);
}

std::int64_t whole_vectors(std::int64_t floats) {
  return piece_count(floats, loops().lanes) * loops().lanes;
}

// G g G^T of a kernel g, for channel o of a block.
void transform_weights(const float* g, float (&to)[winograd_elements][most_lanes], std::int64_t o) {
  float rows[4][3];
  for (int j = 0; j < 3; ++j) {
    const float sum = g[j] + g[6 + j];
    rows[0][j] = g[j];
    rows[1][j] = 0.5F * (sum + g[3 + j]);
    rows[2][j] = 0.5F * (sum - g[3 + j]);
    rows[3][j] = g[6 + j];
  }
  for (int i = 0; i < 4; ++i) {
    const float sum = rows[i][0] + rows[i][2];
    to[4 * i][o] = rows[i][0];
    to[4 * i + 1][o] = 0.5F * (sum + rows[i][1]);
    to[4 * i + 2][o] = 0.5F * (sum - rows[i][1]);
    to[4 * i + 3][o] = rows[i][2];
  }
}

}  // namespace

bool WinogradConvolution::takes(const Window& g) {
  constexpr std::int64_t least_channels = 16;
  constexpr std::int64_t most_weights = 128 * 128;
  return g.kernel_height == 3 && g.kernel_width == 3 && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1 &&
         g.group_in() >= least_channels && g.group_out() >= least_channels && g.group_in() * g.group_out() <= most_weights;
}

WinogradTiles::WinogradTiles(const Window& g)
    : down(piece_count(g.out_height, 2)),
      across(piece_count(g.out_width, 2)),
      rows(balanced(down, most_tiles(g) / across)),
      images(rows < down ? 1 : std::clamp<std::int64_t>(most_tiles(g) / (down * across), 1, g.images)),
      positions(whole_vectors((images - 1) * rows * across + whole_vectors(rows * across))) {}

std::int64_t WinogradTiles::pixel_floats() const {
  return line_up(std::max(winograd_pixels(rows, across), winograd_lines(rows, across)));
}

std::int64_t WinogradConvolution::blocks_of_group() const {
  return piece_count(window_.group_out(), loops().channels);
}

std::int64_t WinogradConvolution::packed_floats() const {
  return window_.groups * winograd_elements * blocks_of_group() * window_.group_in() * loops().channels;
}

void WinogradConvolution::pack(const float* w, float* packed, int threads) const {
  const Window& g = window_;
  const std::int64_t channels = loops().channels;
  const std::int64_t block_floats = g.group_in() * channels;
  for_items(g.groups * blocks_of_group(), threads, [&](std::int64_t item) {
    const std::int64_t group = item / blocks_of_group();
    const std::int64_t block = item % blocks_of_group();
    const float* from = w + (group * g.group_out() + block * channels) * g.group_in() * 9;
    float* to = packed + (group * winograd_elements * blocks_of_group() + block) * block_floats;
    const std::int64_t real = std::min(channels, g.group_out() - block * channels);
    for (std::int64_t c = 0; c < g.group_in(); ++c) {
      float elements[winograd_elements][most_lanes] = {};
      for (std::int64_t o = 0; o < real; ++o) transform_weights(from + (o * g.group_in() + c) * 9, elements, o);
      for (std::int64_t e = 0; e < winograd_elements; ++e)
        std::copy_n(elements[e], channels, to + e * blocks_of_group() * block_floats + c * channels);
    }
  });
}

// A line between the elements keeps them out of the same sets of the cache.
std::int64_t WinogradConvolution::input_stride() const {
  return window_.group_in() * tiles_.positions + line_floats;
}
std::int64_t WinogradConvolution::sum_stride() const {
  return blocks_of_group() * loops().channels * tiles_.positions + line_floats;
}
std::int64_t WinogradConvolution::thread_floats() const {
  return tiles_.pixel_floats() + winograd_elements * (input_stride() + sum_stride());
}
std::size_t WinogradConvolution::scratch_bytes(int threads) const {
  return static_cast<std::size_t>(threads * thread_floats()) * sizeof(float);
}
WinogradConvolution::Memory WinogradConvolution::memory_of_slot(std::byte* scratch, int slot) const {
  float* pixels = reinterpret_cast<float*>(scratch) + slot * thread_floats();
  float* inputs = pixels + tiles_.pixel_floats();
  return {pixels, inputs, inputs + winograd_elements * input_stride()};
}

void WinogradConvolution::transform_image(const Item& item, const float* image, float* pixels, float* inputs) const {
  const Window& g = window_;
  WinogradInput input{image,  g.in_height, g.in_width,    2 * item.first_row - g.top, -g.left, item.rows, tiles_.across,
                      pixels, inputs,      input_stride()};
  for (std::int64_t c = 0; c < g.group_in(); ++c, input.image += g.in_height * g.in_width, input.to += tiles_.positions) {
    loops().winograd_input(input);
  }
}

void WinogradConvolution::multiply(const Item& item, const float* packed, const Memory& memory) const {
  const std::int64_t channels = loops().channels;
  const std::int64_t block_floats = window_.group_in() * channels;
  const std::int64_t vectors = piece_count(item.images * item.rows * tiles_.across, loops().lanes);
  for (std::int64_t e = 0; e < winograd_elements; ++e) {
    const float* weights = packed + (item.group * winograd_elements + e) * blocks_of_group() * block_floats;
    for (std::int64_t block = item.first_block; block < item.last_block; ++block) {
      loops().winograd_products({memory.inputs + e * input_stride(), tiles_.positions, window_.group_in(), weights + block * block_floats,
                                 vectors, memory.sums + e * sum_stride() + block * channels * tiles_.positions, tiles_.positions});
    }
  }
}

void WinogradConvolution::finish_image(const Item& item, std::int64_t image, const Finish& finish, const Memory& memory, float* y) const {
  const Window& g = window_;
  const std::int64_t first = 2 * item.first_row;
  const std::int64_t height = std::min(2 * item.rows, g.out_height - first);
  const std::int64_t last_channel = std::min(g.group_out(), item.last_block * loops().channels);
  for (std::int64_t o = item.first_block * loops().channels; o < last_channel; ++o) {
    const std::int64_t channel = item.group * g.group_out() + o;
    float* to = y + (((item.first_image + image) * g.out_channels + channel) * g.out_height + first) * g.out_width;
    loops().winograd_output({memory.sums + o * tiles_.positions + image * item.rows * tiles_.across, sum_stride(), item.rows, tiles_.across,
                             memory.pixels, to, height, g.out_width});
    const float* other = finish.other == nullptr ? nullptr : finish.other + (to - y);
    if (finish.any()) loops().finish_row({&finish, channel, other, to, 0}, height * g.out_width);
  }
}

void WinogradConvolution::run_item(const Item& item, const float* x, const float* packed, const Finish& finish, float* y,
                                   const Memory& memory) const {
  const Window& g = window_;
  for (std::int64_t i = 0; i < item.images; ++i) {
    const float* image = x + ((item.first_image + i) * g.in_channels + item.group * g.group_in()) * g.in_height * g.in_width;
    // What an image's last vector writes too much, the next image writes over.
    transform_image(item, image, memory.pixels, memory.inputs + i * item.rows * tiles_.across);
  }
  multiply(item, packed, memory);
  for (std::int64_t i = 0; i < item.images; ++i) finish_image(item, i, finish, memory, y);
}

void WinogradConvolution::run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const {
  const Window& g = window_;
  const std::int64_t work = g.images * g.out_channels * tiles_.down * tiles_.across * winograd_elements * g.group_in();
  const auto workers = static_cast<int>(std::clamp<std::int64_t>(work / least_work, 1, threads));
  const std::int64_t down = piece_count(tiles_.down, tiles_.rows);
  const std::int64_t batches = piece_count(g.images, tiles_.images);
  // Where there are too few items to share, threads share out the channels, too: each element is one thread's, its sum always the same.
  const std::int64_t tasks = batches * g.groups * down;
  const std::int64_t parts = tasks % workers == 0 || tasks > 8 * workers ? 1 : std::min<std::int64_t>(workers, blocks_of_group());
  const std::int64_t part = piece_count(blocks_of_group(), parts);
  parallel_for(tasks * parts, workers, [&](std::int64_t i, int slot) {
    const std::int64_t task = i / parts;
    const std::int64_t first_image = task / down / g.groups * tiles_.images;
    const std::int64_t first_row = task % down * tiles_.rows;
    const std::int64_t first_block = std::min(i % parts * part, blocks_of_group());
    const Item item{task / down % g.groups,
                    first_image,
                    std::min(tiles_.images, g.images - first_image),
                    first_row,
                    std::min(tiles_.rows, tiles_.down - first_row),
                    first_block,
                    std::min(blocks_of_group(), first_block + part)};
    run_item(item, x, packed, finish, y, memory_of_slot(scratch, slot));
  });
}

}  // namespace stair::backends::openblas::direct
