#include <cstring>

#include "backends/multiversion.h"
#include "backends/openblas/accepts.h"
#include "backends/openblas/max_windows.h"
#include "backends/openblas/parallel.h"
#include "backends/window.h"

namespace stair::backends::openblas {
namespace {

// 2x2 windows side by side; the first of equals wins, and a NaN only from the first place, as in the reference. `lanes` windows of a row at
// a time, in the compilers' vector types: rows are short, and chained choices are no loop that gets vectorized.
template <class T, int lanes>
using Vector __attribute__((vector_size(sizeof(T) * lanes))) = T;

template <class T, int lanes>
STAIR_INLINE void pool_chunk_of_bytes(const T* above, const T* below, T* y, std::uint8_t* index) {
  STAIR_SIMD
  for (int i = 0; i < lanes; ++i) {
    const T b = above[2 * i + 1];
    const T c = below[2 * i];
    const T d = below[2 * i + 1];
    T best = above[2 * i];
    std::uint8_t at = 0;
    at = b > best ? std::uint8_t{1} : at;
    best = b > best ? b : best;
    at = c > best ? std::uint8_t{2} : at;
    best = c > best ? c : best;
    at = d > best ? std::uint8_t{3} : at;
    best = d > best ? d : best;
    y[i] = best;
    index[i] = at;
  }
}

template <int lanes>
STAIR_INLINE void pool_chunk(const float* above, const float* below, float* y, std::uint8_t* index) {
  alignas(64) float corner[4][lanes];
  for (int i = 0; i < lanes; ++i) {
    corner[0][i] = above[2 * i];
    corner[1][i] = above[2 * i + 1];
    corner[2][i] = below[2 * i];
    corner[3][i] = below[2 * i + 1];
  }
  Vector<float, lanes> best;
  std::memcpy(&best, corner[0], sizeof(best));
  Vector<std::int32_t, lanes> at = {};
  for (int i = 1; i < 4; ++i) {
    Vector<float, lanes> next;
    std::memcpy(&next, corner[i], sizeof(next));
    const Vector<std::int32_t, lanes> greater = next > best;
    at = greater ? i + Vector<std::int32_t, lanes>{} : at;
    best = greater ? next : best;
  }
  std::memcpy(y, &best, sizeof(best));
  alignas(64) std::int32_t which[lanes];
  std::memcpy(which, &at, sizeof(at));
  for (int i = 0; i < lanes; ++i) index[i] = static_cast<std::uint8_t>(which[i]);
}

template <int lanes>
STAIR_INLINE void unpool_chunk(const float* dy, const std::uint8_t* index, float* above, float* below) {
  alignas(64) std::int32_t which[lanes];
  for (int i = 0; i < lanes; ++i) which[i] = index[i];
  Vector<std::int32_t, lanes> at;
  std::memcpy(&at, which, sizeof(at));
  Vector<float, lanes> gradient;
  std::memcpy(&gradient, dy, sizeof(gradient));
  alignas(64) float corner[4][lanes];
  for (int i = 0; i < 4; ++i) {
    const Vector<float, lanes> kept = at == i ? gradient : Vector<float, lanes>{};
    std::memcpy(corner[i], &kept, sizeof(kept));
  }
  for (int i = 0; i < lanes; ++i) {
    above[2 * i] = corner[0][i];
    above[2 * i + 1] = corner[1][i];
    below[2 * i] = corner[2][i];
    below[2 * i + 1] = corner[3][i];
  }
}

// Calls body(row, column) for the chunks of each row; the last one reaches back over windows that are done, which gives them the same
// results again.
template <int lanes, class Body>
STAIR_INLINE void for_chunks(std::int64_t rows, std::int64_t width, Body&& body) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < width; i += lanes) body(row, std::min(i, width - lanes));
  }
}

template <int lanes, class T>
STAIR_INLINE void pool_rows(const T* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, T* y, std::uint8_t* index) {
  for_chunks<lanes>(rows, width, [&](std::int64_t row, std::int64_t i) STAIR_INLINE_BODY {
    const T* above = x + 2 * row * in_width + 2 * i;
    if constexpr (sizeof(T) == 1) {
      pool_chunk_of_bytes<T, lanes>(above, above + in_width, y + row * width + i, index + row * width + i);
    } else {
      pool_chunk<lanes>(above, above + in_width, y + row * width + i, index + row * width + i);
    }
  });
}
template <class T>
STAIR_INLINE void pool_body(const T* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, T* y, std::uint8_t* index) {
  if (width >= 16) return pool_rows<16>(x, in_width, rows, width, y, index);
  if (width >= 8) return pool_rows<8>(x, in_width, rows, width, y, index);
  if (width >= 4) return pool_rows<4>(x, in_width, rows, width, y, index);
  pool_rows<1>(x, in_width, rows, width, y, index);
}
STAIR_MULTIVERSION void pool_plane(const float* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, float* y,
                                   std::uint8_t* index) {
  pool_body(x, in_width, rows, width, y, index);
}
STAIR_MULTIVERSION void pool_plane(const std::uint8_t* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, std::uint8_t* y,
                                   std::uint8_t* index) {
  pool_body(x, in_width, rows, width, y, index);
}
STAIR_MULTIVERSION void pool_plane(const std::int8_t* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, std::int8_t* y,
                                   std::uint8_t* index) {
  pool_body(x, in_width, rows, width, y, index);
}

template <int lanes>
STAIR_INLINE void unpool_rows(const float* dy, const std::uint8_t* index, std::int64_t rows, std::int64_t width, std::int64_t in_width,
                              float* dx) {
  for_chunks<lanes>(rows, width, [&](std::int64_t row, std::int64_t i) STAIR_INLINE_BODY {
    float* above = dx + 2 * row * in_width + 2 * i;
    unpool_chunk<lanes>(dy + row * width + i, index + row * width + i, above, above + in_width);
  });
}
// dx must be cleared where the windows leave a last row or column.
STAIR_MULTIVERSION void unpool_plane(const float* dy, const std::uint8_t* index, std::int64_t rows, std::int64_t width,
                                     std::int64_t in_width, float* dx) {
  if (width >= 16) return unpool_rows<16>(dy, index, rows, width, in_width, dx);
  if (width >= 8) return unpool_rows<8>(dy, index, rows, width, in_width, dx);
  if (width >= 4) return unpool_rows<4>(dy, index, rows, width, in_width, dx);
  unpool_rows<1>(dy, index, rows, width, in_width, dx);
}

template <class T>
void pool(const Window& g, const Arguments& a) {
  for_runs(g.images * g.in_channels, g.in_height * g.in_width, a.threads, [&](std::int64_t plane, std::int64_t first, std::int64_t) {
    const std::int64_t out = plane * g.out_height * g.out_width;
    pool_plane(a.operands[0].as<T>() + first, g.in_width, g.out_height, g.out_width, a.results[0].as<T>() + out,
               a.results[1].as<std::uint8_t>() + out);
  });
}

// 2x2 windows side by side, without padding.
bool halves(const ir::Node& node) {
  const std::vector<std::int64_t>& stride = node.attributes.integers("stride");
  const std::vector<std::int64_t> two{2, 2};
  return node.attributes.integers("kernel") == two && (stride.empty() || stride == two) &&
         node.attributes.integers("padding") == std::vector<std::int64_t>{0, 0, 0, 0};
}

void pool_windows(const Window& g, const Arguments& a) {
  for_runs(g.images * g.in_channels, g.in_height * g.in_width, a.threads, [&](std::int64_t plane, std::int64_t first, std::int64_t) {
    const std::int64_t out = plane * g.out_height * g.out_width;
    max_windows(g, a.operands[0].as<float>() + first, a.results[0].as<float>() + out, a.results[1].as<std::uint8_t>() + out);
  });
}

void run_max_pool(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  if (!halves(node)) return pool_windows(g, a);
  switch (a.operands[0].type.dtype) {
    case ir::DType::u8:
      return pool<std::uint8_t>(g, a);
    case ir::DType::s8:
      return pool<std::int8_t>(g, a);
    default:
      return pool<float>(g, a);
  }
}

void run_max_pool_gradient(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.results[0].type.shape, a.operands[0].type.shape);
  const bool whole = g.in_height == 2 * g.out_height && g.in_width == 2 * g.out_width;
  for_runs(g.images * g.in_channels, g.in_height * g.in_width, a.threads, [&](std::int64_t plane, std::int64_t first, std::int64_t last) {
    float* dx = a.results[0].as<float>();
    if (!whole) std::fill(dx + first, dx + last, 0.0F);
    const std::int64_t out = plane * g.out_height * g.out_width;
    unpool_plane(a.operands[0].as<float>() + out, a.operands[1].as<std::uint8_t>() + out, g.out_height, g.out_width, g.in_width,
                 dx + first);
  });
}

Answer accepts_max_pool(const ir::Graph& graph, const ir::Node& node) {
  if (!halves(node) && !ir::is_float(graph.type(node.operands[0]).dtype)) {
    return Answer::cannot("integers only in windows of 2x2 side by side, without padding");
  }
  return not_double(graph, node);
}

Answer accepts_max_pool_gradient(const ir::Graph& graph, const ir::Node& node) {
  if (!halves(node)) return Answer::cannot("only windows of 2x2 side by side, without padding");
  return not_double(graph, node);
}

}  // namespace

void max_pool(FunctionKernels& kernels) {
  kernels.add("max_pool", {run_max_pool, "vector loops", accepts_max_pool});
  kernels.add("max_pool_grad", {run_max_pool_gradient, "vector loops", accepts_max_pool_gradient});
}

}  // namespace stair::backends::openblas
