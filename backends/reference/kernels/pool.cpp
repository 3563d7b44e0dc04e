#include <algorithm>

#include "backends/reference/kernel.h"
#include "backends/reference/layout.h"
#include "backends/window.h"
#include "ir/window_counts.h"

namespace stair::backends::reference {
namespace {

// `index` may be nullptr.
template <class T>
void max_pool(const Window& g, const T* x, T* y, std::uint8_t* index, int threads) {
  const std::int64_t planes = g.images * g.in_channels;
  parallel_for(planes, threads, [&](std::int64_t plane, int) {
    const T* image = x + plane * g.in_height * g.in_width;
    for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
      for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
        bool found = false;
        T best{};
        std::int64_t position = 0;
        for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
          for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
            const std::int64_t h = g.in_row(oh, kh);
            const std::int64_t w = g.in_column(ow, kw);
            if (!g.row_inside(h) || !g.column_inside(w)) continue;
            const T value = image[h * g.in_width + w];
            if (found && !(value > best)) continue;
            found = true;
            best = value;
            position = kh * g.kernel_width + kw;
          }
        }
        const std::int64_t out = (plane * g.out_height + oh) * g.out_width + ow;
        y[out] = best;
        if (index != nullptr) index[out] = static_cast<std::uint8_t>(position);
      }
    }
  });
}

void run_max_pool(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  const auto run = [&]<class T>() { max_pool(g, a.operands[0].as<T>(), a.results[0].as<T>(), a.results[1].as<std::uint8_t>(), a.threads); };
  if (ir::is_float(a.operands[0].type.dtype)) return for_real(a.operands[0].type.dtype, run);
  for_quantized(a.operands[0].type.dtype, run);
}

void run_max_pool_integer(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    with_channels_first<Q, Q>(node, g, a, [&](const Q* x, Q* y) { max_pool<Q>(g, x, y, nullptr, a.threads); });
  });
}

void run_max_pool_grad(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.results[0].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    const auto* index = a.operands[1].as<std::uint8_t>();
    Real* dx = a.results[0].as<Real>();
    const std::int64_t planes = g.images * g.in_channels;
    parallel_for(planes, a.threads, [&](std::int64_t plane, int) {
      Real* image = dx + plane * g.in_height * g.in_width;
      std::fill(image, image + g.in_height * g.in_width, Real{0});
      for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
        for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
          const std::int64_t out = (plane * g.out_height + oh) * g.out_width + ow;
          const std::int64_t h = g.in_row(oh, index[out] / g.kernel_width);
          const std::int64_t w = g.in_column(ow, index[out] % g.kernel_width);
          // A position that max_pool can't have yielded gets nothing.
          if (index[out] >= g.kernel_height * g.kernel_width || !g.row_inside(h) || !g.column_inside(w)) continue;
          image[h * g.in_width + w] += dy[out];
        }
      }
    });
  });
}

// Calls body(input element, output element) for each position of each window that isn't padding.
template <class Body>
void for_each_position(const Window& g, std::int64_t plane, Body&& body) {
  for (std::int64_t oh = 0; oh < g.out_height; ++oh) {
    for (std::int64_t ow = 0; ow < g.out_width; ++ow) {
      for (std::int64_t kh = 0; kh < g.kernel_height; ++kh) {
        for (std::int64_t kw = 0; kw < g.kernel_width; ++kw) {
          const std::int64_t h = g.in_row(oh, kh);
          const std::int64_t w = g.in_column(ow, kw);
          if (g.row_inside(h) && g.column_inside(w)) {
            body((plane * g.in_height + h) * g.in_width + w, (plane * g.out_height + oh) * g.out_width + ow);
          }
        }
      }
    }
  }
}

// Of the windows of a pool: the positions inside of the image, by element of the result.
class InsideCounts {
 public:
  explicit InsideCounts(const Window& g)
      : rows_{g.in_height, g.out_height, g.kernel_height, g.stride_h, g.top},
        columns_{g.in_width, g.out_width, g.kernel_width, g.stride_w, g.left} {}

  std::int64_t count(std::int64_t i) const { return rows_(i / columns_.out % rows_.out) * columns_(i % columns_.out); }
  std::int64_t common_multiple() const { return rows_.common_multiple(most) * columns_.common_multiple(most); }

 private:
  static constexpr std::int64_t most = std::int64_t{1} << 23;
  ir::WindowCounts rows_, columns_;
};

void run_avg_pool(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    const auto n = static_cast<Real>(g.kernel_height * g.kernel_width);
    std::fill(y, y + a.results[0].count(), Real{0});
    const std::int64_t planes = g.images * g.in_channels;
    parallel_for(planes, a.threads, [&](std::int64_t plane, int) {
      for_each_position(g, plane, [&](std::int64_t in, std::int64_t out) { y[out] += x[in]; });
    });
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] /= n;
  });
}

void run_avg_pool_grad(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.results[0].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* dx = a.results[0].as<Real>();
    const auto n = static_cast<Real>(g.kernel_height * g.kernel_width);
    std::fill(dx, dx + a.results[0].count(), Real{0});
    const std::int64_t planes = g.images * g.in_channels;
    parallel_for(planes, a.threads, [&](std::int64_t plane, int) {
      for_each_position(g, plane, [&](std::int64_t in, std::int64_t out) { dx[in] += dy[out] / n; });
    });
  });
}

void run_avg_pool_inside(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  const InsideCounts inside(g);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    Real* y = a.results[0].as<Real>();
    std::fill(y, y + a.results[0].count(), Real{0});
    parallel_for(g.images * g.in_channels, a.threads, [&](std::int64_t plane, int) {
      for_each_position(g, plane, [&](std::int64_t in, std::int64_t out) { y[out] += x[in]; });
    });
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) y[i] /= static_cast<Real>(inside.count(i));
  });
}

void run_avg_pool_inside_grad(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.results[0].type.shape, a.operands[0].type.shape);
  const InsideCounts inside(g);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* dy = a.operands[0].as<Real>();
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    parallel_for(g.images * g.in_channels, a.threads, [&](std::int64_t plane, int) {
      for_each_position(g, plane, [&](std::int64_t in, std::int64_t out) { dx[in] += dy[out] / static_cast<Real>(inside.count(out)); });
    });
  });
}

// N-AVG
void run_avg_pool_inside_integer(const ir::Node& node, const Arguments& a) {
  const Window g = Window::pooling(node.attributes, a.operands[0].type.shape, a.results[0].type.shape);
  const InsideCounts inside(g);
  const std::int32_t zero_point = *a.operands[1].as<std::int32_t>();
  auto* acc = a.results[0].as<std::int32_t>();
  std::fill(acc, acc + a.results[0].count(), 0);
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* x = a.operands[0].as<Q>();
    parallel_for(g.images * g.in_channels, a.threads, [&](std::int64_t plane, int) {
      for_each_position(g, plane, [&](std::int64_t in, std::int64_t out) { acc[out] += x[in] - zero_point; });
    });
  });
  const std::int64_t common = inside.common_multiple();
  for (std::int64_t i = 0; i < a.results[0].count(); ++i) acc[i] *= static_cast<std::int32_t>(common / inside.count(i));
}

void run_global_max_pool(const ir::Node&, const Arguments& a) {
  const auto run = [&]<class T>() {
    const std::int64_t plane = a.operands[0].dim(2) * a.operands[0].dim(3);
    const T* x = a.operands[0].as<T>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      a.results[0].as<T>()[i] = *std::max_element(x + i * plane, x + (i + 1) * plane);
    }
  };
  if (ir::is_float(a.operands[0].type.dtype)) return for_real(a.operands[0].type.dtype, run);
  for_quantized(a.operands[0].type.dtype, run);
}

void run_global_avg_pool(const ir::Node&, const Arguments& a) {
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const std::int64_t plane = a.operands[0].dim(2) * a.operands[0].dim(3);
    const Real* x = a.operands[0].as<Real>();
    for (std::int64_t i = 0; i < a.results[0].count(); ++i) {
      Real sum = 0;
      for (std::int64_t p = 0; p < plane; ++p) sum += x[i * plane + p];
      a.results[0].as<Real>()[i] = sum / static_cast<Real>(plane);
    }
  });
}

}  // namespace

void pool(FunctionKernels& kernels) {
  kernels.add("max_pool", {run_max_pool});
  kernels.add("max_pool_integer", {run_max_pool_integer});
  kernels.add("max_pool_grad", {run_max_pool_grad});
  kernels.add("avg_pool", {run_avg_pool});
  kernels.add("avg_pool_grad", {run_avg_pool_grad});
  kernels.add("avg_pool_inside", {run_avg_pool_inside});
  kernels.add("avg_pool_inside_grad", {run_avg_pool_inside_grad});
  kernels.add("avg_pool_inside_integer", {run_avg_pool_inside_integer});
  kernels.add("global_avg_pool", {run_global_avg_pool});
  kernels.add("global_max_pool", {run_global_max_pool});
}

}  // namespace stair::backends::reference
