#include <algorithm>

#include "backends/reference/kernel.h"
#include "ir/resampling.h"

namespace stair::backends::reference {
namespace {

using ir::Resampling;

// Calls body(plane, row, column, element) for each element of images [N,C,H,W]; planes in parallel.
template <class Body>
void for_each_pixel(const ir::Shape& to, int threads, Body&& body) {
  parallel_for(to[0] * to[1], threads, [&](std::int64_t plane, int) {
    for (std::int64_t h = 0; h < to[2]; ++h) {
      for (std::int64_t w = 0; w < to[3]; ++w) body(plane, h, w, (plane * to[2] + h) * to[3] + w);
    }
  });
}

struct Sides {
  Sides(const ir::Shape& from, const ir::Shape& to) : rows{from[2], to[2]}, columns{from[3], to[3]} {}

  std::int64_t nearest(std::int64_t plane, std::int64_t h, std::int64_t w) const {
    return (plane * rows.in + rows.nearest(h)) * columns.in + columns.nearest(w);
  }
  /// Calls body(element, weight) for the four around.
  template <class Body>
  void around(std::int64_t plane, std::int64_t h, std::int64_t w, Body&& body) const {
    const Resampling::Taps row = rows.taps(h);
    const Resampling::Taps column = columns.taps(w);
    const auto at = [&](std::int64_t r, std::int64_t c) { return (plane * rows.in + r) * columns.in + c; };
    body(at(row.low, column.low), row.low_weight * column.low_weight);
    body(at(row.low, column.high), row.low_weight * column.high_weight);
    body(at(row.high, column.low), row.high_weight * column.low_weight);
    body(at(row.high, column.high), row.high_weight * column.high_weight);
  }
  std::int64_t unit() const { return rows.unit() * columns.unit(); }

  Resampling rows, columns;
};

void run_resize_nearest(const ir::Node&, const Arguments& a) {
  const Sides sides(a.operands[0].type.shape, a.results[0].type.shape);
  for_any(a.operands[0].type.dtype, [&]<class T>() {
    for_each_pixel(a.results[0].type.shape, a.threads, [&](std::int64_t plane, std::int64_t h, std::int64_t w, std::int64_t i) {
      a.results[0].as<T>()[i] = a.operands[0].as<T>()[sides.nearest(plane, h, w)];
    });
  });
}

void run_resize_nearest_grad(const ir::Node&, const Arguments& a) {
  const Sides sides(a.results[0].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    Real* dx = a.results[0].as<Real>();
    std::fill(dx, dx + a.results[0].count(), Real{0});
    for_each_pixel(a.operands[0].type.shape, a.threads, [&](std::int64_t plane, std::int64_t h, std::int64_t w, std::int64_t i) {
      dx[sides.nearest(plane, h, w)] += a.operands[0].as<Real>()[i];
    });
  });
}

void run_resize_bilinear(const ir::Node&, const Arguments& a) {
  const Sides sides(a.operands[0].type.shape, a.results[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    const Real* x = a.operands[0].as<Real>();
    const auto unit = static_cast<Real>(sides.unit());
    for_each_pixel(a.results[0].type.shape, a.threads, [&](std::int64_t plane, std::int64_t h, std::int64_t w, std::int64_t i) {
      Real sum = 0;
      sides.around(plane, h, w, [&](std::int64_t from, std::int64_t weight) { sum += x[from] * static_cast<Real>(weight); });
      a.results[0].as<Real>()[i] = sum / unit;
    });
  });
}

void run_resize_bilinear_grad(const ir::Node&, const Arguments& a) {
  const Sides sides(a.results[0].type.shape, a.operands[0].type.shape);
  for_real(a.operands[0].type.dtype, [&]<class Real>() {
    Real* dx = a.results[0].as<Real>();
    const auto unit = static_cast<Real>(sides.unit());
    std::fill(dx, dx + a.results[0].count(), Real{0});
    for_each_pixel(a.operands[0].type.shape, a.threads, [&](std::int64_t plane, std::int64_t h, std::int64_t w, std::int64_t i) {
      const Real dy = a.operands[0].as<Real>()[i] / unit;
      sides.around(plane, h, w, [&](std::int64_t to, std::int64_t weight) { dx[to] += dy * static_cast<Real>(weight); });
    });
  });
}

// N-RESIZE
void run_resize_bilinear_integer(const ir::Node&, const Arguments& a) {
  const Sides sides(a.operands[0].type.shape, a.results[0].type.shape);
  const std::int64_t zero_point = *a.operands[1].as<std::int32_t>();
  for_quantized(a.operands[0].type.dtype, [&]<class Q>() {
    const Q* x = a.operands[0].as<Q>();
    for_each_pixel(a.results[0].type.shape, a.threads, [&](std::int64_t plane, std::int64_t h, std::int64_t w, std::int64_t i) {
      std::int64_t sum = 0;
      sides.around(plane, h, w, [&](std::int64_t from, std::int64_t weight) { sum += (x[from] - zero_point) * weight; });
      a.results[0].as<std::int32_t>()[i] = static_cast<std::int32_t>(sum);
    });
  });
}

}  // namespace

void resize(FunctionKernels& kernels) {
  kernels.add("resize_nearest", {run_resize_nearest});
  kernels.add("resize_nearest_grad", {run_resize_nearest_grad});
  kernels.add("resize_bilinear", {run_resize_bilinear});
  kernels.add("resize_bilinear_grad", {run_resize_bilinear_grad});
  kernels.add("resize_bilinear_integer", {run_resize_bilinear_integer});
}

}  // namespace stair::backends::reference
