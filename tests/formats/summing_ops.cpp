#include <numeric>

#include "tests/formats/step.h"

namespace reader {
namespace {

struct Window {
  Shape kernel, stride, padding, dilation;

  Window(const Step& s, Shape size, const Shape& default_stride)
      : kernel(std::move(size)),
        stride(s.list("stride", default_stride)),
        padding(s.list("padding", {0, 0, 0, 0})),
        dilation(s.list("dilation", {1, 1})) {
    if (stride.empty()) stride = kernel;
  }
  static Window pool(const Step& s) { return {s, s.list("kernel"), {}}; }

  Shape output(const Shape& x, std::int64_t channels) const {
    Shape y{x[0], channels, 0, 0};
    for (std::size_t a = 0; a < 2; ++a)
      y[2 + a] = (x[2 + a] + padding[a] + padding[a + 2] - dilation[a] * (kernel[a] - 1) - 1) / stride[a] + 1;
    return y;
  }
  /// Calls body(kh, kw, h, w) for the positions of the window at y that aren't padding.
  template <class Body>
  void positions(const Shape& y, const Shape& x, Body&& body) const {
    each(kernel, [&](const Shape& k) {
      const std::int64_t h = y[2] * stride[0] - padding[0] + k[0] * dilation[0];
      const std::int64_t w = y[3] * stride[1] - padding[1] + k[1] * dilation[1];
      if (h >= 0 && h < x[2] && w >= 0 && w < x[3]) body(k[0], k[1], h, w);
    });
  }
};

/// Sums of products: int64 for integers, which int32 must hold; double for floats.
template <class Sum>
double finished(Sum sum) {
  if constexpr (std::is_same_v<Sum, std::int64_t>) {
    return sum32(sum);
  } else {
    return sum;
  }
}

template <class Sum>
Tensor convolution(const Step& s, Sum zero_point, std::size_t bias) {
  const Tensor& x = s[0];
  const Tensor& w = s[1];
  const Window window(s, {w.shape[2], w.shape[3]}, {1, 1});
  const std::int64_t per_group = w.shape[0] / whole(s.number("groups", 1));
  Tensor y(s.op() == "conv2d" ? "f32" : "i32", window.output(x.shape, w.shape[0]));
  each(y.shape, [&](const Shape& i) {
    Sum sum = s.has(bias) ? static_cast<Sum>(s[bias].values.at(static_cast<std::size_t>(i[1]))) : Sum{0};
    for (std::int64_t c = 0; c < w.shape[1]; ++c) {
      const std::int64_t from = i[1] / per_group * w.shape[1] + c;
      window.positions(i, x.shape, [&](std::int64_t kh, std::int64_t kw, std::int64_t h, std::int64_t v) {
        sum += (static_cast<Sum>(x.at({i[0], from, h, v})) - zero_point) * static_cast<Sum>(w.at({i[1], c, kh, kw}));
      });
    }
    y.at(i) = finished(sum);
  });
  return y;
}

template <class Sum>
Tensor transposed_convolution(const Step& s, Sum zero_point, std::size_t bias) {
  const Tensor& x = s[0];
  const Tensor& w = s[1];
  const Window window(s, {w.shape[2], w.shape[3]}, {1, 1});
  const Shape more = s.list("output_padding", {0, 0});
  const std::int64_t per_group = w.shape[0] / whole(s.number("groups", 1));
  Shape shape{x.shape[0], w.shape[0], 0, 0};
  for (std::size_t a = 0; a < 2; ++a) {
    shape[2 + a] = (x.shape[2 + a] - 1) * window.stride[a] + window.dilation[a] * (window.kernel[a] - 1) + 1 - window.padding[a] -
                   window.padding[a + 2] + more[a];
  }
  std::vector<Sum> sums(static_cast<std::size_t>(count(shape)), Sum{0});
  const auto at = [&](const Shape& i) { return static_cast<std::size_t>(((i[0] * shape[1] + i[1]) * shape[2] + i[2]) * shape[3] + i[3]); };
  each(x.shape, [&](const Shape& i) {
    each(w.shape, [&](const Shape& k) {
      if (k[0] / per_group * w.shape[1] + k[1] != i[1]) return;
      const std::int64_t h = i[2] * window.stride[0] - window.padding[0] + k[2] * window.dilation[0];
      const std::int64_t v = i[3] * window.stride[1] - window.padding[1] + k[3] * window.dilation[1];
      if (h < 0 || h >= shape[2] || v < 0 || v >= shape[3]) return;
      sums[at({i[0], k[0], h, v})] += (static_cast<Sum>(x.at(i)) - zero_point) * static_cast<Sum>(w.at(k));
    });
  });
  Tensor y(s.op() == "conv_transpose2d" ? "f32" : "i32", shape);
  each(shape, [&](const Shape& i) {
    y.at(i) = finished(sums[at(i)] + (s.has(bias) ? static_cast<Sum>(s[bias].values.at(static_cast<std::size_t>(i[1]))) : Sum{0}));
  });
  return y;
}

template <class Sum>
Tensor linear(const Step& s, Sum zero_point, std::size_t bias) {
  Shape shape = s[0].shape;
  shape.back() = s[1].shape[0];
  Tensor y(s.op() == "linear" ? "f32" : "i32", shape);
  each(shape, [&](const Shape& i) {
    Sum sum = s.has(bias) ? static_cast<Sum>(s[bias].values.at(static_cast<std::size_t>(i.back()))) : Sum{0};
    Shape from = i;
    for (std::int64_t k = 0; k < s[1].shape[1]; ++k) {
      from.back() = k;
      sum += (static_cast<Sum>(s[0].at(from)) - zero_point) * static_cast<Sum>(s[1].at({i.back(), k}));
    }
    y.at(i) = finished(sum);
  });
  return y;
}

template <class Sum>
Tensor matmul(const Step& s, Sum za, Sum zb) {
  const bool ta = s.flag("transpose_a");
  const bool tb = s.flag("transpose_b");
  const auto dimension = [](const Tensor& t, bool last) { return t.shape[t.shape.size() - (last ? 1 : 2)]; };
  Shape shape = broadcast(Shape(s[0].shape.begin(), s[0].shape.end() - 2), Shape(s[1].shape.begin(), s[1].shape.end() - 2));
  shape.push_back(dimension(s[0], ta));
  shape.push_back(dimension(s[1], !tb));
  Tensor y(s.op() == "matmul" ? "f32" : "i32", shape);
  const auto element = [](const Tensor& t, const Shape& i, std::int64_t row, std::int64_t column) {
    Shape at = within(Shape(t.shape.begin(), t.shape.end() - 2), Shape(i.begin(), i.end() - 2));
    at.push_back(row);
    at.push_back(column);
    return static_cast<Sum>(t.at(at));
  };
  each(shape, [&](const Shape& i) {
    const std::int64_t m = i[i.size() - 2];
    const std::int64_t n = i.back();
    Sum sum = 0;
    for (std::int64_t k = 0; k < dimension(s[0], !ta); ++k) {
      sum += (element(s[0], i, ta ? k : m, ta ? m : k) - za) * (element(s[1], i, tb ? n : k, tb ? k : n) - zb);
    }
    y.at(i) = finished(sum);
  });
  return y;
}

/// Calls fold(result element, element, index) for each element of x; the result without the axes, or with 1 in their place.
template <class Fold>
Tensor reduction(const Step& s, const std::string& element, const std::set<std::size_t>& axes, bool keep, Fold&& fold) {
  const Tensor& x = s[0];
  Shape kept;
  for (std::size_t d = 0; d < x.shape.size(); ++d) {
    if (axes.count(d) == 0) kept.push_back(x.shape[d]);
    if (axes.count(d) != 0 && keep) kept.push_back(1);
  }
  Tensor y(element, kept);
  std::vector<bool> begun(y.values.size(), false);
  each(x.shape, [&](const Shape& i) {
    std::int64_t flat = 0;
    for (std::size_t d = 0; d < i.size(); ++d) {
      if (axes.count(d) == 0) flat = flat * x.shape[d] + i[d];
    }
    const auto at = static_cast<std::size_t>(flat);
    y.values[at] = fold(begun[at] ? &y.values[at] : nullptr, x.at(i));
    begun[at] = true;
  });
  return y;
}

Tensor sum_of_integers(const Step& s) {
  const std::int64_t z = s.scalar(1);
  return reduction(s, "i32", s.axes(s[0].shape.size()), s.flag("keep"),
                   [&](const double* sum, double x) { return sum32((sum != nullptr ? whole(*sum) : 0) + whole(x) - z); });
}
Tensor largest(const Step& s) {
  return reduction(s, s[0].element, s.axes(s[0].shape.size()), s.flag("keep"),
                   [](const double* best, double x) { return best != nullptr && !(x > *best) ? *best : x; });
}
Tensor sum_of_floats(const Step& s, const std::set<std::size_t>& axes, bool keep, bool mean) {
  Tensor y = reduction(s, "f32", axes, keep, [](const double* sum, double x) { return (sum != nullptr ? *sum : 0.0) + x; });
  const double n = mean ? static_cast<double>(s[0].values.size()) / static_cast<double>(y.values.size()) : 1.0;
  for (double& value : y.values) value /= n;
  return y;
}

Tensor sum_pool(const Step& s, bool floats) {
  const Window window = Window::pool(s);
  Tensor y(floats ? "f32" : "i32", window.output(s[0].shape, s[0].shape[1]));
  const double z = floats ? 0.0 : static_cast<double>(s.scalar(1));
  const double n = floats ? static_cast<double>(count(window.kernel)) : 1.0;
  each(y.shape, [&](const Shape& i) {
    double sum = 0;
    window.positions(i, s[0].shape, [&](std::int64_t, std::int64_t, std::int64_t h, std::int64_t w) {
      sum += s[0].at({i[0], i[1], h, w}) - z;
    });
    y.at(i) = sum / n;
  });
  return y;
}

Tensor sum_pool_inside(const Step& s, bool floats) {
  const Window window = Window::pool(s);
  Tensor y(floats ? "f32" : "i32", window.output(s[0].shape, s[0].shape[1]));
  const double z = floats ? 0.0 : static_cast<double>(s.scalar(1));
  // By side: how many positions of the window are inside, and the least common multiple of all such numbers.
  std::vector<std::int64_t> multiples{1, 1};
  const auto inside = [&](std::size_t side, std::int64_t i) {
    std::int64_t n = 0;
    for (std::int64_t k = 0; k < window.kernel[side]; ++k) {
      const std::int64_t at = i * window.stride[side] - window.padding[side] + k;
      if (at >= 0 && at < s[0].shape[2 + side]) ++n;
    }
    return n;
  };
  for (const std::size_t side : {0U, 1U}) {
    for (std::int64_t i = 0; i < y.shape[2 + side]; ++i) multiples[side] = std::lcm(multiples[side], inside(side, i));
  }
  each(y.shape, [&](const Shape& i) {
    double sum = 0;
    window.positions(i, s[0].shape, [&](std::int64_t, std::int64_t, std::int64_t h, std::int64_t w) {
      sum += s[0].at({i[0], i[1], h, w}) - z;
    });
    const std::int64_t n = inside(0, i[2]) * inside(1, i[3]);
    y.at(i) = floats ? sum / static_cast<double>(n) : sum32(whole(sum) * (multiples[0] * multiples[1] / n));
  });
  return y;
}

Tensor bilinear(const Step& s, bool floats) {
  const Shape size = s.list("size");
  const Shape& x = s[0].shape;
  Tensor y(floats ? "f32" : "i32", {x[0], x[1], size[0], size[1]});
  const std::int64_t z = floats ? 0 : s.scalar(1);
  struct Taps {
    std::int64_t low, high, low_weight, high_weight;
  };
  const auto taps = [&](std::size_t side, std::int64_t i) -> Taps {
    const std::int64_t in = x[2 + side];
    const std::int64_t out = size[side];
    const std::int64_t place = std::min(std::max((2 * i + 1) * in - out, std::int64_t{0}), 2 * out * (in - 1));
    const std::int64_t g = std::gcd(in, out);
    const std::int64_t low = place / (2 * out);
    return {low, std::min(low + 1, in - 1), (2 * out - place % (2 * out)) / g, place % (2 * out) / g};
  };
  each(y.shape, [&](const Shape& i) {
    const Taps r = taps(0, i[2]);
    const Taps c = taps(1, i[3]);
    const auto at = [&](std::int64_t h, std::int64_t w) { return s[0].at({i[0], i[1], h, w}) - static_cast<double>(z); };
    const auto real_weight = [](std::int64_t w) { return static_cast<double>(w); };
    const double sum =
        (at(r.low, c.low) * real_weight(c.low_weight) + at(r.low, c.high) * real_weight(c.high_weight)) * real_weight(r.low_weight) +
        (at(r.high, c.low) * real_weight(c.low_weight) + at(r.high, c.high) * real_weight(c.high_weight)) * real_weight(r.high_weight);
    const double unit = real_weight((r.low_weight + r.high_weight) * (c.low_weight + c.high_weight));
    y.at(i) = floats ? sum / unit : sum32(whole(sum));
  });
  return y;
}

Results max_pool(const Step& s) {
  const Window window = Window::pool(s);
  Tensor y(s[0].element, window.output(s[0].shape, s[0].shape[1]));
  Tensor index("u8", y.shape);
  each(y.shape, [&](const Shape& i) {
    bool found = false;
    window.positions(i, s[0].shape, [&](std::int64_t kh, std::int64_t kw, std::int64_t h, std::int64_t w) {
      const double x = s[0].at({i[0], i[1], h, w});
      if (found && !(x > y.at(i))) return;
      found = true;
      y.at(i) = x;
      index.at(i) = static_cast<double>(kh * window.kernel[1] + kw);
    });
  });
  return {y, index};
}

}  // namespace

void summing_ops(Ops& ops) {
  ops["conv2d_integer"] = {[](const Step& s) -> Results { return {convolution<std::int64_t>(s, s.scalar(2), 99)}; }};
  ops["conv_transpose2d_integer"] = {[](const Step& s) -> Results { return {transposed_convolution<std::int64_t>(s, s.scalar(2), 99)}; }};
  ops["linear_integer"] = {[](const Step& s) -> Results { return {linear<std::int64_t>(s, s.scalar(2), 99)}; }};
  ops["matmul_integer"] = {[](const Step& s) -> Results { return {matmul<std::int64_t>(s, s.scalar(2), s.scalar(3))}; }};
  ops["avg_pool_integer"] = {[](const Step& s) -> Results { return {sum_pool(s, false)}; }};
  ops["reduce_sum_integer"] = one(sum_of_integers);
  ops["reduce_max"] = one(largest);
  ops["max_pool"] = {max_pool};
  ops["global_max_pool"] = one([](const Step& s) {
    return reduction(s, s[0].element, {2, 3}, true,
                     [](const double* best, double x) { return best != nullptr && !(x > *best) ? *best : x; });
  });
  ops["avg_pool_inside_integer"] = {[](const Step& s) -> Results { return {sum_pool_inside(s, false)}; }};
  ops["avg_pool_inside"] = {[](const Step& s) -> Results { return {sum_pool_inside(s, true)}; }, false};
  ops["resize_bilinear_integer"] = {[](const Step& s) -> Results { return {bilinear(s, false)}; }};
  ops["resize_bilinear"] = {[](const Step& s) -> Results { return {bilinear(s, true)}; }, false};
  ops["conv2d"] = {[](const Step& s) -> Results { return {convolution<double>(s, 0, 2)}; }, false};
  ops["conv_transpose2d"] = {[](const Step& s) -> Results { return {transposed_convolution<double>(s, 0, 2)}; }, false};
  ops["linear"] = {[](const Step& s) -> Results { return {linear<double>(s, 0, 2)}; }, false};
  ops["matmul"] = {[](const Step& s) -> Results { return {matmul<double>(s, 0, 0)}; }, false};
  ops["avg_pool"] = {[](const Step& s) -> Results { return {sum_pool(s, true)}; }, false};
  ops["global_avg_pool"] = {[](const Step& s) -> Results { return {sum_of_floats(s, {2, 3}, true, true)}; }, false};
  for (const char* name : {"reduce_sum", "reduce_mean"}) {
    ops[name] = {
        [](const Step& s) -> Results { return {sum_of_floats(s, s.axes(s[0].shape.size()), s.flag("keep"), s.op() == "reduce_mean")}; },
        false};
  }
}

}  // namespace reader
