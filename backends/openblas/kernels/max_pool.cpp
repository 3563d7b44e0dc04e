#include "backends/openblas/accepts.h"
#include "backends/openblas/multiversion.h"
#include "backends/openblas/parallel.h"
#include "backends/window.h"

namespace stair::backends::openblas {
namespace {

// 2x2 windows side by side; the first of equals wins, and a NaN only from the first place, as in the reference.
template <class T>
STAIR_INLINE void pool_body(const T* x, std::int64_t in_width, std::int64_t rows, std::int64_t width, T* y, std::uint8_t* index) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const T* above = x + 2 * row * in_width;
    const T* below = above + in_width;
    STAIR_SIMD
    for (std::int64_t i = 0; i < width; ++i) {
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
      y[row * width + i] = best;
      index[row * width + i] = at;
    }
  }
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

// dx must be cleared where the windows leave a last row or column.
STAIR_MULTIVERSION void unpool_plane(const float* dy, const std::uint8_t* index, std::int64_t rows, std::int64_t width,
                                     std::int64_t in_width, float* dx) {
  for (std::int64_t row = 0; row < rows; ++row) {
    float* above = dx + 2 * row * in_width;
    float* below = above + in_width;
    STAIR_SIMD
    for (std::int64_t i = 0; i < width; ++i) {
      const float gradient = dy[row * width + i];
      const int at = index[row * width + i];
      above[2 * i] = at == 0 ? gradient : 0.0F;
      above[2 * i + 1] = at == 1 ? gradient : 0.0F;
      below[2 * i] = at == 2 ? gradient : 0.0F;
      below[2 * i + 1] = at == 3 ? gradient : 0.0F;
    }
  }
}

template <class T>
void pool(const Window& g, const Arguments& a) {
  for_runs(g.images * g.in_channels, g.in_height * g.in_width, a.threads, [&](std::int64_t plane, std::int64_t first, std::int64_t) {
    const std::int64_t out = plane * g.out_height * g.out_width;
    pool_plane(a.operands[0].as<T>() + first, g.in_width, g.out_height, g.out_width, a.results[0].as<T>() + out,
               a.results[1].as<std::uint8_t>() + out);
  });
}

void run(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  switch (a.operands[0].type.dtype) {
    case ir::DType::u8:
      return pool<std::uint8_t>(g, a);
    case ir::DType::s8:
      return pool<std::int8_t>(g, a);
    default:
      return pool<float>(g, a);
  }
}

void run_grad(const ir::Node& node, const Arguments& a) {
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

Answer accepts(const ir::Graph& graph, const ir::Node& node) {
  if (Answer answer = not_double(graph, node); !answer.yes) return answer;
  const std::vector<std::int64_t>& stride = node.attributes.integers("stride");
  const std::vector<std::int64_t> two{2, 2};
  if (node.attributes.integers("kernel") != two || (!stride.empty() && stride != two) ||
      node.attributes.integers("padding") != std::vector<std::int64_t>{0, 0, 0, 0}) {
    return Answer::cannot("only windows of 2x2 side by side, without padding");
  }
  return Answer::can();
}

}  // namespace

void max_pool(FunctionKernels& kernels) {
  kernels.add("max_pool", {run, "vector loops", accepts});
  kernels.add("max_pool_grad", {run_grad, "vector loops", accepts});
}

}  // namespace stair::backends::openblas
