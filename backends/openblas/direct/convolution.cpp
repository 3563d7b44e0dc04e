#include "backends/openblas/direct/convolution.h"

#include <algorithm>

#include "backends/openblas/direct/loops.h"
#include "backends/openblas/parallel.h"

namespace stair::backends::openblas::direct {
namespace {

constexpr std::int64_t least_products = 500'000;  // what a thread must have to do before waking another pays

// A convolution whose groups have one output channel takes its channels one by one.
std::int64_t channels_of_block(const Window& g) {
  return g.group_out() == 1 ? 1 : loops().channels;
}

}  // namespace

Convolution::Convolution(const Window& window)
    : Algorithm("direct, vectors of pixels"),
      window_(window),
      source_(window, source_rows(window, window.images * window.groups == 1), loops().lanes),
      channels_(channels_of_block(window)) {
  whole_ = cut(source_.rows());
  last_ = cut(window.out_height - (piece_count(window.out_height, source_.rows()) - 1) * source_.rows());
}

// Vectors begin with each row anew, unless that takes more of them than one line over all rows does. In place the rows are one line, and
// the last vector, behind which nothing may be read, takes some positions once more.
Convolution::Cut Convolution::cut(std::int64_t tile_rows) const {
  const std::int64_t lanes = loops().lanes;
  const std::int64_t rows = source_.in_place() ? 1 : tile_rows;
  const std::int64_t width = source_.in_place() ? tile_rows * window_.out_width : window_.out_width;
  const std::int64_t pitch = source_.in_place() ? width : source_.pitch();
  const std::int64_t positions = (rows - 1) * pitch + width;
  const std::int64_t by_row = piece_count(width, lanes);
  const bool straight = rows * by_row <= piece_count(positions, lanes);
  const std::int64_t vectors = straight ? rows * by_row : piece_count(positions, lanes);
  const auto start = [&](std::int64_t v) {
    if (source_.in_place()) return std::min(v * lanes, positions - lanes);
    return straight ? v / by_row * pitch + v % by_row * lanes : v * lanes;
  };

  Cut made;
  const std::int64_t blocks = piece_count(vectors, most_vectors);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t first = b * vectors / blocks;
    const std::int64_t end = (b + 1) * vectors / blocks;
    Block block{static_cast<std::int32_t>(end - first), {}, static_cast<std::int32_t>(made.runs.size()), 0, straight};
    for (std::int64_t v = first; v < end; ++v) {
      block.start[v - first] = static_cast<std::int32_t>(start(v));
      // The parts of the vector that lie in rows of the result.
      const std::int64_t vector_end = std::min(positions, start(v) + lanes);
      for (std::int64_t at = start(v); at < vector_end; at = (at / pitch + 1) * pitch) {
        const std::int64_t count = std::min(vector_end, at / pitch * pitch + width) - at;
        if (count <= 0) continue;
        made.runs.push_back({static_cast<std::int32_t>((v - first) * lanes + at - start(v)),
                             static_cast<std::int32_t>(at / pitch * width + at % pitch), static_cast<std::int32_t>(count)});
        if (straight) break;
      }
    }
    block.run_end = static_cast<std::int32_t>(made.runs.size());
    made.blocks.push_back(block);
  }
  return made;
}

std::int64_t Convolution::blocks_of_group() const {
  return piece_count(window_.group_out(), channels_);
}

std::int64_t Convolution::packed_floats() const {
  return window_.groups * blocks_of_group() * static_cast<std::int64_t>(source_.offsets().size()) * channels_;
}

void Convolution::pack(const float* w, float* packed, int threads) const {
  const Window& g = window_;
  const auto taps = static_cast<std::int64_t>(source_.offsets().size());
  for_items(g.groups * blocks_of_group(), threads, [&](std::int64_t block) {
    const std::int64_t group = block / blocks_of_group();
    const std::int64_t first = block % blocks_of_group() * channels_;
    float* to = packed + block * taps * channels_;
    for (std::int64_t o = 0; o < channels_; ++o) {
      const float* from = w + (group * g.group_out() + first + o) * taps;
      const bool real = first + o < g.group_out();
      for (std::int64_t t = 0; t < taps; ++t) to[t * channels_ + o] = real ? from[t] : 0.0F;
    }
  });
}

std::size_t Convolution::floats_of_thread() const {
  return static_cast<std::size_t>(source_.floats());
}

std::size_t Convolution::scratch_bytes(int threads) const {
  return static_cast<std::size_t>(threads) * floats_of_thread() * sizeof(float);
}

void Convolution::run_item(const Item& item, const float* x, const float* packed, const Finish& finish, float* y, float* memory) const {
  const Window& g = window_;
  const std::int64_t plane = g.out_height * g.out_width;
  const auto taps = static_cast<std::int64_t>(source_.offsets().size());
  const float* image = x + (item.image * g.in_channels + item.group * g.group_in()) * g.in_height * g.in_width;
  const std::int64_t rows = std::min(source_.rows(), g.out_height - item.first_row);
  const Cut& cut = rows == source_.rows() ? whole_ : last_;
  Products products{};
  products.source = source_.at(image, item.first_row, memory);
  products.offsets = source_.offsets().data();
  products.taps = taps;
  products.blocks = cut.blocks.data();
  products.block_count = static_cast<std::int64_t>(cut.blocks.size());
  products.runs = cut.runs.data();
  for (std::int64_t block = item.first_block; block < item.last_block; ++block) {
    const std::int64_t in_group = block * channels_;
    const std::int64_t channels = std::min(channels_, g.group_out() - in_group);
    const std::int64_t first = item.group * g.group_out() + in_group;
    const std::int64_t at = (item.image * g.out_channels + first) * plane + item.first_row * g.out_width;
    products.weights = packed + (item.group * blocks_of_group() + block) * taps * channels_;
    products.to = {&finish, first, finish.other == nullptr ? nullptr : finish.other + at, y + at, plane};
    products.channels = channels;
    (channels_ == 1 ? loops().products_of_one : loops().products)(products);
  }
}

void Convolution::run(const float* x, const float* packed, const Finish& finish, float* y, std::byte* scratch, int threads) const {
  const Window& g = window_;
  const auto taps = static_cast<std::int64_t>(source_.offsets().size());
  const std::int64_t products = g.images * g.out_channels * g.out_height * g.out_width * taps;
  const auto workers = static_cast<int>(std::clamp<std::int64_t>(products / least_products, 1, threads));
  const std::int64_t tiles = piece_count(g.out_height, source_.rows());
  // Where there are too few tiles to share, threads share out the channels, too: each element is one thread's, its sum always the same.
  const std::int64_t tasks = g.images * g.groups * tiles;
  const std::int64_t parts = tasks % workers == 0 || tasks > 8 * workers ? 1 : std::min<std::int64_t>(workers, blocks_of_group());
  const std::int64_t part = piece_count(blocks_of_group(), parts);
  parallel_for(tasks * parts, workers, [&](std::int64_t i, int slot) {
    const std::int64_t task = i / parts;
    const std::int64_t first_block = i % parts * part;
    const Item item{task / tiles / g.groups, task / tiles % g.groups, task % tiles * source_.rows(), first_block,
                    std::min(blocks_of_group(), first_block + part)};
    float* memory = reinterpret_cast<float*>(scratch) + static_cast<std::size_t>(slot) * floats_of_thread();
    run_item(item, x, packed, finish, y, memory);
  });
}

}  // namespace stair::backends::openblas::direct
