#include "frontend/verification/onnx/summing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "ir/error.h"

namespace stair::verification::onnx {

namespace {

constexpr std::int64_t largest_side = 1 << 24;     // of a window, its strides and paddings
constexpr std::int64_t exact_in_32_bits = 32'000;  // products of two times 8 bits

using Shorts = std::vector<std::int16_t>;

Shorts shorts_of(const Value& value) {
  Shorts all(value.integers.size());
  std::transform(value.integers.begin(), value.integers.end(), all.begin(), [](std::int64_t q) { return static_cast<std::int16_t>(q); });
  return all;
}

std::int64_t largest_of(const Value& value) {
  std::int64_t largest = 0;
  for (const std::int64_t q : value.integers) largest = std::max(largest, std::abs(q));
  return largest;
}

template <class Total>
std::int64_t dot(const std::int16_t* a, const std::int16_t* b, std::int64_t count) {
  Total sum = 0;
  for (std::int64_t k = 0; k < count; ++k) sum += static_cast<Total>(a[k]) * static_cast<Total>(b[k]);
  return sum;
}

using Dot = std::int64_t (*)(const std::int16_t*, const std::int16_t*, std::int64_t);

Dot dot_of(const Value& a, const Value& b, std::int64_t count) {
  const bool bytes = largest_of(a) <= 255 && largest_of(b) <= 255;
  return bytes && count <= exact_in_32_bits ? dot<std::int32_t> : dot<std::int64_t>;
}

struct Window {
  std::int64_t kernel[2], stride[2], dilation[2], before[2], out[2], in[2];
  std::int64_t groups;
};

void expect_sizes(const NodeRun& run, const char* name, const std::vector<std::int64_t>& sizes, std::size_t count, std::int64_t least) {
  const bool fit = sizes.size() == count &&
                   std::all_of(sizes.begin(), sizes.end(), [&](std::int64_t size) { return size >= least && size <= largest_side; });
  run.expect(fit, fmt::format("its {} are [{}], expected {} numbers of at least {}", name, fmt::join(sizes, ", "), count, least));
}

// Of sequences the first side is 1.
Window window_of(NodeRun& run, const ir::Shape& x, const ir::Shape& w) {
  const std::size_t sides = w.size() < 2 ? 0 : w.size() - 2;
  run.expect((sides == 1 || sides == 2) && x.size() == w.size(),
             fmt::format("it convolves {} with {}, expected images or sequences", ir::to_string(x), ir::to_string(w)));
  const std::vector<std::int64_t> kernel(w.begin() + 2, w.end());
  run.expect(run.integers("kernel_shape", kernel) == kernel, "its kernel_shape isn't that of its weights");
  const std::vector<std::int64_t> stride = run.integers("strides", std::vector<std::int64_t>(sides, 1));
  const std::vector<std::int64_t> dilation = run.integers("dilations", std::vector<std::int64_t>(sides, 1));
  std::vector<std::int64_t> pads = run.integers("pads", std::vector<std::int64_t>(2 * sides, 0));
  const std::string automatic = run.text("auto_pad", "NOTSET");
  expect_sizes(run, "weights' sides", kernel, sides, 1);
  expect_sizes(run, "strides", stride, sides, 1);
  expect_sizes(run, "dilations", dilation, sides, 1);
  expect_sizes(run, "pads", pads, 2 * sides, 0);
  Window window{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {1, 1}, run.integer("group", 1)};
  for (std::size_t side = 0; side < sides; ++side) {
    const std::size_t at = side + 2 - sides;
    const std::int64_t reach = dilation[side] * (kernel[side] - 1) + 1;
    const std::int64_t in = x[side + 2];
    if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
      const std::int64_t total = std::max<std::int64_t>(0, ((in + stride[side] - 1) / stride[side] - 1) * stride[side] + reach - in);
      pads[side] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[side + sides] = total - pads[side];
    } else if (automatic == "VALID") {
      pads[side] = pads[side + sides] = 0;
    } else {
      run.expect(automatic == "NOTSET", fmt::format("its auto_pad is '{}'", automatic));
    }
    const std::int64_t room = in + pads[side] + pads[side + sides] - reach;
    run.expect(room >= 0, fmt::format("its window is larger than its input {}", ir::to_string(x)));
    window.kernel[at] = kernel[side];
    window.stride[at] = stride[side];
    window.dilation[at] = dilation[side];
    window.before[at] = pads[side];
    window.in[at] = in;
    window.out[at] = room / stride[side] + 1;
  }
  const bool divides = window.groups >= 1 && window.groups <= w[0] && w[0] % window.groups == 0 && x[1] == w[1] * window.groups;
  run.expect(divides, fmt::format("it convolves {} with {} in {} groups", ir::to_string(x), ir::to_string(w), window.groups));
  return window;
}

// The values that a row of the result is made of: [OW, C/group, KH, KW]; 0 in the padding.
void patches(const Window& window, const std::int16_t* x, std::int64_t channels, std::int64_t row, Shorts& into) {
  const std::int64_t area = window.in[0] * window.in[1];
  std::size_t at = 0;
  for (std::int64_t column = 0; column < window.out[1]; ++column) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < window.kernel[0]; ++i) {
        const std::int64_t h = row * window.stride[0] - window.before[0] + i * window.dilation[0];
        for (std::int64_t j = 0; j < window.kernel[1]; ++j, ++at) {
          const std::int64_t v = column * window.stride[1] - window.before[1] + j * window.dilation[1];
          const bool inside = h >= 0 && h < window.in[0] && v >= 0 && v < window.in[1];
          into[at] = inside ? x[c * area + h * window.in[1] + v] : std::int16_t{0};
        }
      }
    }
  }
}

std::int64_t size_of(const ir::Shape& shape, std::size_t from, std::size_t to) {
  std::int64_t size = 1;
  for (std::size_t d = from; d < to; ++d) size *= shape[d];
  return size;
}

// What stands in front of a matrix: where the matrix that is broadcast to number `of` lies.
std::int64_t matrix_at(std::int64_t of, const ir::Shape& larger, const ir::Shape& its) {
  const std::size_t front = its.size() - 2;
  std::int64_t at = 0;
  std::int64_t stride = 1;
  for (std::size_t d = 0; d < larger.size(); ++d) {
    const std::int64_t size = larger[larger.size() - 1 - d];
    const std::int64_t own = d < front ? its[front - 1 - d] : 1;
    if (own > 1) at += of % size * stride;
    stride *= own;
    of /= size;
  }
  return at;
}

}  // namespace

Value centred(const NodeRun& run, const Value& x, const std::vector<std::int64_t>& zeros, std::size_t axis) {
  run.expect(!x.is_real(), "its operands aren't integers");
  run.expect(zeros.size() == 1 || (axis < x.shape.size() && static_cast<std::int64_t>(zeros.size()) == x.shape[axis]),
             fmt::format("it has {} zero points of {}", zeros.size(), ir::to_string(x.shape)));
  Value y = x;
  y.type = ElementType::i32;
  const std::int64_t inner = axis < x.shape.size() ? size_of(x.shape, axis + 1, x.shape.size()) : 1;
  for (std::size_t i = 0; i < y.integers.size(); ++i) {
    const std::size_t at = zeros.size() == 1 ? 0 : static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner) % zeros.size();
    run.expect(is_within(y.integers[i], 65'535) && is_within(y.integers[i] - zeros[at], 32'767), "its operands have more than 16 bits");
    y.integers[i] -= zeros[at];
  }
  return y;
}

std::vector<std::int64_t> zeros_at(const NodeRun& run, std::size_t i) {
  if (!run.has(i)) return {0};
  const Value& zeros = run.in(i);
  run.expect(!zeros.is_real() && zeros.count() >= 1 && zeros.shape.size() <= 1, fmt::format("its zero points (input {}) are no list", i));
  for (const std::int64_t zero : zeros.integers) run.expect(is_within(zero, 65'535), "its zero points have more than 16 bits");
  return zeros.integers;
}

std::int64_t one_zero(const NodeRun& run, std::size_t i) {
  const std::vector<std::int64_t> zeros = zeros_at(run, i);
  run.expect(zeros.size() == 1, fmt::format("it has {} zero points (input {}), expected one", zeros.size(), i));
  return zeros.front();
}

std::vector<float> scales_at(const NodeRun& run, std::size_t i) {
  const Value& scales = run.in(i);
  run.expect(scales.is_real() && scales.count() >= 1 && scales.shape.size() <= 1, fmt::format("its scales (input {}) are no list", i));
  std::vector<float> all;
  for (std::int64_t n = 0; n < scales.count(); ++n) all.push_back(static_cast<float>(scales.number(n)));
  for (const float scale : all) {
    run.expect(std::isfinite(scale) && scale > 0, fmt::format("it has the scale {}, expected a finite number above 0", scale));
  }
  return all;
}

Value convolved(NodeRun& run, const Value& x, const Value& w) {
  const Window window = window_of(run, x.shape, w.shape);
  ir::Shape shape{x.shape[0], w.shape[0], window.out[0], window.out[1]};
  if (x.shape.size() == 3) shape.erase(shape.begin() + 2);
  Value y = made(ElementType::i32, std::move(shape));
  const Shorts from = shorts_of(x);
  const Shorts weights = shorts_of(w);
  const std::int64_t channels = w.shape[1];
  const std::int64_t length = size_of(w.shape, 1, w.shape.size());
  const std::int64_t outputs = w.shape[0] / window.groups;
  const Dot sum = dot_of(x, w, length);
  Shorts rows(static_cast<std::size_t>(window.out[1] * length));
  for (std::int64_t n = 0; n < x.shape[0] * window.groups; ++n) {
    const std::int16_t* const image = from.data() + n * channels * window.in[0] * window.in[1];
    for (std::int64_t row = 0; row < window.out[0]; ++row) {
      patches(window, image, channels, row, rows);
      for (std::int64_t o = 0; o < outputs; ++o) {
        const std::int16_t* const its = weights.data() + (n % window.groups * outputs + o) * length;
        std::int64_t* const to = y.integers.data() + ((n * outputs + o) * window.out[0] + row) * window.out[1];
        for (std::int64_t column = 0; column < window.out[1]; ++column) to[column] = sum(rows.data() + column * length, its, length);
      }
    }
  }
  return y;
}

Value transposed(const NodeRun& run, const Value& x) {
  run.expect(x.shape.size() == 2, fmt::format("it transposes {}, expected a matrix", ir::to_string(x.shape)));
  Value y = x;
  std::swap(y.shape[0], y.shape[1]);
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const std::int64_t from = i % y.shape[1] * x.shape[1] + i / y.shape[1];
    y.integers[static_cast<std::size_t>(i)] = x.integers[static_cast<std::size_t>(from)];
  }
  return y;
}

Value multiplied(const NodeRun& run, const Value& a, const Value& b) {
  const std::string both = fmt::format("it multiplies {} and {}", ir::to_string(a.shape), ir::to_string(b.shape));
  run.expect(a.shape.size() >= 2 && b.shape.size() >= 2 && a.shape.back() == b.shape[b.shape.size() - 2], both);
  const std::int64_t rows = a.shape[a.shape.size() - 2];
  const std::int64_t inner = a.shape.back();
  const std::int64_t columns = b.shape.back();
  ir::Shape front(std::max(a.shape.size(), b.shape.size()) - 2, 1);
  for (const ir::Shape* of : {&a.shape, &b.shape}) {
    for (std::size_t d = 2; d < of->size(); ++d) {
      std::int64_t& dimension = front[front.size() + 1 - d];
      const std::int64_t its = (*of)[of->size() - 1 - d];
      run.expect(its == dimension || its == 1 || dimension == 1, both);
      if (its != 1) dimension = its;
    }
  }
  ir::Shape shape = front;
  shape.insert(shape.end(), {rows, columns});
  Value y = made(ElementType::i32, std::move(shape));
  const Shorts left = shorts_of(a);
  const Shorts right = shorts_of(b);
  const Dot sum = dot_of(a, b, inner);
  Shorts column(static_cast<std::size_t>(inner));
  for (std::int64_t n = 0; n < size_of(front, 0, front.size()); ++n) {
    const std::int16_t* const from = left.data() + matrix_at(n, front, a.shape) * rows * inner;
    const std::int16_t* const with = right.data() + matrix_at(n, front, b.shape) * inner * columns;
    for (std::int64_t c = 0; c < columns; ++c) {
      for (std::int64_t k = 0; k < inner; ++k) column[static_cast<std::size_t>(k)] = with[k * columns + c];
      for (std::int64_t r = 0; r < rows; ++r) {
        y.integers[static_cast<std::size_t>((n * rows + r) * columns + c)] = sum(from + r * inner, column.data(), inner);
      }
    }
  }
  return y;
}

Value recorded(NodeRun& run, Value sum, const Value& weights, const std::vector<std::int64_t>& bias, std::size_t axis) {
  for (std::int64_t& q : sum.integers) q = wrapped(ElementType::i32, q);
  Sum& kept = run.sums[run.name()];
  kept.sums = sum;
  kept.weights = weights;
  kept.weights.type = ElementType::i32;
  kept.weights.scale.clear();
  kept.bias.reset();
  kept.multiplier.clear();
  sum.sum = run.name();
  if (bias.empty()) return sum;
  run.expect(static_cast<std::int64_t>(bias.size()) == sum.shape[axis],
             fmt::format("it has {} biases, expected {}", bias.size(), sum.shape[axis]));
  kept.bias = made(ElementType::i32, {static_cast<std::int64_t>(bias.size())});
  kept.bias->integers = bias;
  const std::int64_t inner = size_of(sum.shape, axis + 1, sum.shape.size());
  for (std::size_t i = 0; i < sum.integers.size(); ++i) {
    sum.integers[i] =
        wrapped(ElementType::i32, sum.integers[i] + bias[static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner) % bias.size()]);
  }
  return sum;
}

Value in_steps(NodeRun& run, Value sum, float x_scale, const std::vector<float>& w_scale, std::size_t axis) {
  run.expect(w_scale.size() == 1 || static_cast<std::int64_t>(w_scale.size()) == sum.shape[axis],
             fmt::format("it has {} scales of weights, expected 1 or {}", w_scale.size(), sum.shape[axis]));
  sum.type = ElementType::f32;
  sum.axis = axis;
  for (const float scale : w_scale) sum.scale.push_back(x_scale * scale);
  run.sums[run.name()].multiplier = sum.scale;
  return sum;
}

std::int64_t placed(float t, std::int64_t zero_point, Limits limits) {
  if (std::isnan(t)) return limits.lo;
  const double sum = std::nearbyint(static_cast<double>(t)) + static_cast<double>(zero_point);
  return static_cast<std::int64_t>(std::clamp(sum, static_cast<double>(limits.lo), static_cast<double>(limits.hi)));
}

Value requantized(NodeRun& run, const Value& x, const std::vector<float>& y_scale, const std::vector<std::int64_t>& y_zero,
                  std::size_t axis, ElementType type) {
  Value y = made(type, x.shape);
  const Limits limits = limits_of(type);
  const std::int64_t inner = axis < x.shape.size() ? size_of(x.shape, axis + 1, x.shape.size()) : 1;
  const auto at = [&](std::int64_t i, std::size_t count) {
    return count == 1 ? std::size_t{0} : static_cast<std::size_t>(i / inner) % count;
  };
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const auto n = static_cast<std::size_t>(i);
    const float multiplier = x.scale_of(i) / y_scale[at(i, y_scale.size())];
    y.integers[n] = placed(static_cast<float>(x.integers[n]) * multiplier, y_zero[at(i, y_zero.size())], limits);
  }
  const auto of_sum = run.sums.find(x.sum);
  if (of_sum == run.sums.end() || y_scale.size() != 1) return y;
  of_sum->second.multiplier.clear();
  for (const float scale : x.scale) of_sum->second.multiplier.push_back(scale / y_scale.front());
  return y;
}

}  // namespace stair::verification::onnx
