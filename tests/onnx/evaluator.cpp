#include "tests/onnx/evaluator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>
#include <stdexcept>

namespace stair::tests {
namespace {

using frontend::onnx::Attribute;
using frontend::onnx::ElementType;
using frontend::onnx::Node;
using ir::Shape;
using List = std::vector<std::int64_t>;
using Values = std::map<std::string, OnnxValue>;

bool real(const OnnxValue& value) {
  return frontend::onnx::is_real(value.type);
}

std::int64_t count_of(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

OnnxValue made(ElementType type, Shape shape) {
  OnnxValue value;
  value.type = type;
  value.shape = std::move(shape);
  const auto count = static_cast<std::size_t>(count_of(value.shape));
  if (real(value)) value.reals.resize(count);
  if (!real(value)) value.integers.resize(count);
  return value;
}

OnnxValue constant(const frontend::onnx::Tensor& tensor) {
  OnnxValue value = made(tensor.type, tensor.shape);
  const auto fill = [&](auto element, auto& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::memcpy(&element, tensor.raw.data() + i * sizeof(element), sizeof(element));
      all[i] = element;
    }
  };
  switch (tensor.type) {
    case ElementType::f32:
      fill(float{}, value.reals);
      break;
    case ElementType::u8:
      fill(std::uint8_t{}, value.integers);
      break;
    case ElementType::i32:
      fill(std::int32_t{}, value.integers);
      break;
    case ElementType::i64:
      fill(std::int64_t{}, value.integers);
      break;
    default:
      throw std::runtime_error("a constant of another type");
  }
  return value;
}

// Where an element of the larger shape lies in one that is broadcast to it.
std::size_t place(std::int64_t i, const Shape& larger, const Shape& shape) {
  std::int64_t at = 0;
  std::int64_t stride = 1;
  for (std::size_t d = 0; d < larger.size(); ++d) {
    const std::int64_t size = larger[larger.size() - 1 - d];
    const std::int64_t own = d < shape.size() ? shape[shape.size() - 1 - d] : 1;
    if (own > 1) at += i % size * stride;
    stride *= own;
    i /= size;
  }
  return static_cast<std::size_t>(at);
}

Shape broadcast(const Shape& a, const Shape& b) {
  Shape shape(std::max(a.size(), b.size()), 1);
  for (const Shape* of : {&a, &b}) {
    for (std::size_t d = 0; d < of->size(); ++d) {
      std::int64_t& dim = shape[shape.size() - of->size() + d];
      dim = std::max(dim, (*of)[d]);
    }
  }
  return shape;
}

class Evaluation {
 public:
  explicit Evaluation(Values values) : values_(std::move(values)) {}

  void run(const Node& node) {
    node_ = &node;
    values_[node.outputs.front()] = compute();
  }
  const OnnxValue& value(const std::string& name) const { return values_.at(name); }

 private:
  const OnnxValue& in(std::size_t i) const { return values_.at(node_->inputs[i]); }
  bool has(std::size_t i) const { return i < node_->inputs.size() && !node_->inputs[i].empty(); }
  std::int64_t integer(const char* name, std::int64_t otherwise) const {
    const auto it = node_->attributes.find(name);
    return it == node_->attributes.end() ? otherwise : it->second.integer;
  }
  List integers(const char* name, List otherwise) const {
    const auto it = node_->attributes.find(name);
    return it == node_->attributes.end() ? otherwise : it->second.integers;
  }

  OnnxValue compute() const {
    const std::string& op = node_->op;
    if (op == "Identity") return in(0);
    if (op == "QuantizeLinear") return quantize();
    if (op == "DequantizeLinear") return dequantize();
    if (op == "QLinearConv") return quantized_convolution();
    if (op == "ConvInteger") return as_integers(convolve(in(0), zero(2), in(1), zero(3)));
    if (op == "Conv") return layer(true);
    if (op == "Gemm") return layer(false);
    if (op == "ConvTranspose") return convolve_transposed();
    if (op == "MatMulInteger") return multiply(zero(2), zero(3));
    if (op == "MatMul") return multiply(0, 0);
    if (op == "Cast") return cast();
    if (op == "Clip") return clip();
    if (op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze") return reshape();
    if (op == "Transpose") return transpose(in(0), integers("perm", {}));
    if (op == "Gather") return gather();
    if (op == "Slice") return slice();
    if (op == "Shape") return shape_of();
    if (op == "Expand") return expand();
    if (op == "ArgMax") return argmax();
    if (op == "Concat") return concat();
    if (op == "Pad") return pad();
    if (op == "MaxPool") return max_pool();
    if (op == "ReduceMax" || op == "ReduceSum") return reduce();
    if (op == "Abs" || op == "Sign" || op == "Sqrt") return unary();
    if (op == "Sum" && node_->inputs.size() == 1) return plain(in(0));
    return binary();
  }

  std::int64_t zero(std::size_t i) const { return has(i) ? in(i).integers.front() : 0; }

  static OnnxValue plain(OnnxValue value) {
    if (real(value)) value.integers.clear();
    value.scale.clear();
    return value;
  }

  OnnxValue unary() const {
    OnnxValue y = plain(in(0));
    for (double& x : y.reals) x = node_->op == "Sqrt" ? std::sqrt(x) : std::abs(x);
    for (std::int64_t& x : y.integers) x = node_->op == "Abs" ? std::abs(x) : (x > 0) - (x < 0);
    return y;
  }

  OnnxValue binary() const {
    const OnnxValue& a = in(0);
    const OnnxValue& b = in(1);
    const std::string& op = node_->op;
    const bool compares = op == "Less" || op == "Greater" || op == "LessOrEqual";
    OnnxValue y = made(compares ? ElementType::boolean : a.type, broadcast(a.shape, b.shape));
    const std::int64_t count = count_of(y.shape);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::size_t at_a = place(i, y.shape, a.shape);
      const std::size_t at_b = place(i, y.shape, b.shape);
      const auto at = static_cast<std::size_t>(i);
      if (real(a)) {
        y.reals[at] = of_reals(op, static_cast<float>(a.reals[at_a]), static_cast<float>(b.reals[at_b]));
      } else {
        y.integers[at] = of_integers(op, a.integers[at_a], b.integers[at_b]);
      }
    }
    return y;
  }

  static float of_reals(const std::string& op, float a, float b) {
    if (op == "Add" || op == "Sum") return a + b;
    if (op == "Sub") return a - b;
    if (op == "Mul") return a * b;
    if (op == "Div") return a / b;
    if (op == "Min") return std::min(a, b);
    if (op == "Max") return std::max(a, b);
    throw std::runtime_error("unknown operator " + op);
  }

  static std::int64_t of_integers(const std::string& op, std::int64_t a, std::int64_t b) {
    if (op == "Add") return a + b;
    if (op == "Sub") return a - b;
    if (op == "Mul") return a * b;
    if (op == "Div") return a / b;
    if (op == "Mod") return (a % b + b) % b;
    if (op == "Min") return std::min(a, b);
    if (op == "Max") return std::max(a, b);
    if (op == "Less") return a < b;
    if (op == "Greater") return a > b;
    if (op == "LessOrEqual") return a <= b;
    throw std::runtime_error("unknown operator " + op + " of integers");
  }

  OnnxValue clip() const {
    OnnxValue y = plain(in(0));
    for (double& x : y.reals) x = std::min(std::max(x, in(1).reals.front()), in(2).reals.front());
    for (std::int64_t& x : y.integers) x = std::clamp(x, in(1).integers.front(), in(2).integers.front());
    return y;
  }

  OnnxValue cast() const {
    const OnnxValue& x = in(0);
    OnnxValue y = made(static_cast<ElementType>(integer("to", 1)), x.shape);
    for (std::size_t i = 0; i < std::max(y.reals.size(), y.integers.size()); ++i) {
      if (real(y)) {
        const double value = real(x) ? x.reals[i] : static_cast<double>(x.integers[i]);
        y.reals[i] = y.type != ElementType::f32 ? value : real(x) ? static_cast<float>(value) : static_cast<float>(x.integers[i]);
      } else {
        y.integers[i] = real(x) ? static_cast<std::int64_t>(x.reals[i]) : x.integers[i];
      }
    }
    return y;
  }

  // Of what integers and a scale made, the multiplier is one of both scales, as in QLinearConv.
  OnnxValue quantize() const {
    const OnnxValue& x = in(0);
    OnnxValue y = made(ElementType::u8, x.shape);
    const std::int64_t zero_point = zero(2);
    for (std::int64_t i = 0; i < count_of(x.shape); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const float s =
          static_cast<float>(in(1).reals[in(1).reals.size() == 1 ? 0 : along(x.shape, static_cast<std::size_t>(integer("axis", 1)), i)]);
      const float t = x.scale.empty()
                          ? static_cast<float>(x.reals[at]) / s
                          : static_cast<float>(x.integers[at]) * (x.scale[x.scale.size() == 1 ? 0 : along(x.shape, x.axis, i)] / s);
      y.integers[at] = placed(t, zero_point);
    }
    return y;
  }

  static std::int64_t placed(float t, std::int64_t zero_point) {
    return static_cast<std::int64_t>(std::clamp(std::nearbyint(static_cast<double>(t)) + static_cast<double>(zero_point), 0.0, 255.0));
  }

  static std::size_t along(const Shape& shape, std::size_t axis, std::int64_t i) {
    const std::int64_t inner =
        std::accumulate(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
    return static_cast<std::size_t>(i / inner % shape[axis]);
  }

  OnnxValue dequantize() const {
    const OnnxValue& x = in(0);
    OnnxValue y = made(ElementType::f32, x.shape);
    y.integers = x.integers;
    y.axis = static_cast<std::size_t>(integer("axis", 1));
    for (const double s : in(1).reals) y.scale.push_back(static_cast<float>(s));
    for (std::int64_t i = 0; i < count_of(x.shape); ++i) {
      const auto at = static_cast<std::size_t>(i);
      y.integers[at] -= zero(2);
      y.reals[at] = static_cast<float>(y.integers[at]) * y.scale[y.scale.size() == 1 ? 0 : along(x.shape, y.axis, i)];
    }
    return y;
  }

  static OnnxValue as_integers(OnnxValue value) {
    value.type = ElementType::i32;
    return value;
  }

  // Σ (x - x_zero) · (w - w_zero): integers, [N,O,OH,OW].
  OnnxValue convolve(const OnnxValue& x, std::int64_t x_zero, const OnnxValue& w, std::int64_t w_zero) const {
    const List strides = integers("strides", {1, 1});
    const List pads = integers("pads", {0, 0, 0, 0});
    const List dilations = integers("dilations", {1, 1});
    const std::int64_t groups = integer("group", 1);
    const std::int64_t high = (x.shape[2] + pads[0] + pads[2] - dilations[0] * (w.shape[2] - 1) - 1) / strides[0] + 1;
    const std::int64_t wide = (x.shape[3] + pads[1] + pads[3] - dilations[1] * (w.shape[3] - 1) - 1) / strides[1] + 1;
    OnnxValue y = made(ElementType::i32, {x.shape[0], w.shape[0], high, wide});
    for (std::int64_t i = 0; i < count_of(y.shape); ++i) {
      const std::int64_t column = i % wide, row = i / wide % high, o = i / (wide * high) % w.shape[0], n = i / (wide * high * w.shape[0]);
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < w.shape[1] * w.shape[2] * w.shape[3]; ++k) {
        const std::int64_t kw = k % w.shape[3], kh = k / w.shape[3] % w.shape[2], c = k / (w.shape[3] * w.shape[2]);
        const std::int64_t h = row * strides[0] - pads[0] + kh * dilations[0];
        const std::int64_t v = column * strides[1] - pads[1] + kw * dilations[1];
        if (h < 0 || h >= x.shape[2] || v < 0 || v >= x.shape[3]) continue;
        const std::int64_t channel = o / (w.shape[0] / groups) * w.shape[1] + c;
        const std::int64_t its = x.integers[static_cast<std::size_t>(((n * x.shape[1] + channel) * x.shape[2] + h) * x.shape[3] + v)];
        sum += (its - x_zero) * (w.integers[static_cast<std::size_t>(o * w.shape[1] * w.shape[2] * w.shape[3] + k)] - w_zero);
      }
      y.integers[static_cast<std::size_t>(i)] = sum;
    }
    return y;
  }

  OnnxValue convolve_transposed() const {
    const OnnxValue& x = in(0);
    const OnnxValue& w = in(1);
    const List strides = integers("strides", {1, 1});
    const List pads = integers("pads", {0, 0, 0, 0});
    const List dilations = integers("dilations", {1, 1});
    const List more = integers("output_padding", {0, 0});
    const std::int64_t groups = integer("group", 1);
    const std::int64_t out = w.shape[1] * groups;
    const std::int64_t high = (x.shape[2] - 1) * strides[0] + dilations[0] * (w.shape[2] - 1) + 1 - pads[0] - pads[2] + more[0];
    const std::int64_t wide = (x.shape[3] - 1) * strides[1] + dilations[1] * (w.shape[3] - 1) + 1 - pads[1] - pads[3] + more[1];
    OnnxValue y = made(ElementType::f32, {x.shape[0], out, high, wide});
    for (std::int64_t i = 0; i < count_of(x.shape); ++i) {
      const std::int64_t column = i % x.shape[3], row = i / x.shape[3] % x.shape[2], c = i / (x.shape[3] * x.shape[2]) % x.shape[1];
      const std::int64_t n = i / (x.shape[3] * x.shape[2] * x.shape[1]);
      for (std::int64_t k = 0; k < w.shape[1] * w.shape[2] * w.shape[3]; ++k) {
        const std::int64_t kw = k % w.shape[3], kh = k / w.shape[3] % w.shape[2], o = k / (w.shape[3] * w.shape[2]);
        const std::int64_t h = row * strides[0] - pads[0] + kh * dilations[0];
        const std::int64_t v = column * strides[1] - pads[1] + kw * dilations[1];
        if (h < 0 || h >= high || v < 0 || v >= wide) continue;
        const std::int64_t channel = c / (x.shape[1] / groups) * w.shape[1] + o;
        y.reals[static_cast<std::size_t>(((n * out + channel) * high + h) * wide + v)] +=
            x.reals[static_cast<std::size_t>(i)] * w.reals[static_cast<std::size_t>(c * w.shape[1] * w.shape[2] * w.shape[3] + k)];
      }
    }
    return y;
  }

  OnnxValue quantized_convolution() const {
    const OnnxValue sum = convolve(in(0), zero(2), in(3), zero(5));
    OnnxValue y = made(ElementType::u8, sum.shape);
    for (std::int64_t i = 0; i < count_of(y.shape); ++i) {
      const std::size_t o = along(y.shape, 1, i);
      const std::int64_t acc = sum.integers[static_cast<std::size_t>(i)] + (has(8) ? in(8).integers[o] : 0);
      const auto x_scale = static_cast<float>(in(1).reals.front());
      const auto w_scale = static_cast<float>(in(4).reals[in(4).reals.size() == 1 ? 0 : o]);
      const float multiplier = x_scale * w_scale / static_cast<float>(in(6).reals.front());
      y.integers[static_cast<std::size_t>(i)] = placed(static_cast<float>(acc) * multiplier, zero(7));
    }
    return y;
  }

  // A convolution or a product with transposed weights, of dequantized operands.
  OnnxValue layer(bool convolution) const {
    const OnnxValue& x = in(0);
    const OnnxValue& w = in(1);
    if (x.scale.empty() || w.scale.empty()) throw std::runtime_error(node_->op + " of floats");
    OnnxValue y;
    if (convolution) {
      y = convolve(x, 0, w, 0);
    } else {
      y = made(ElementType::i32, {x.shape[0], w.shape[0]});
      for (std::int64_t i = 0; i < count_of(y.shape); ++i) {
        for (std::int64_t k = 0; k < w.shape[1]; ++k) {
          y.integers[static_cast<std::size_t>(i)] += x.integers[static_cast<std::size_t>(i / w.shape[0] * w.shape[1] + k)] *
                                                     w.integers[static_cast<std::size_t>(i % w.shape[0] * w.shape[1] + k)];
        }
      }
    }
    y.type = ElementType::f32;
    y.axis = 1;
    for (const float s : w.scale) y.scale.push_back(x.scale.front() * s);
    y.reals.resize(y.integers.size());
    for (std::int64_t i = 0; i < count_of(y.shape); ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::size_t o = along(y.shape, 1, i);
      if (has(2)) y.integers[at] += in(2).integers[o];
      y.reals[at] = static_cast<float>(y.integers[at]) * y.scale[y.scale.size() == 1 ? 0 : o];
    }
    return y;
  }

  OnnxValue multiply(std::int64_t a_zero, std::int64_t b_zero) const {
    const OnnxValue& a = in(0);
    const OnnxValue& b = in(1);
    const std::int64_t rows = a.shape[a.shape.size() - 2], inner = a.shape.back(), columns = b.shape.back();
    const Shape batch_a(a.shape.begin(), a.shape.end() - 2), batch_b(b.shape.begin(), b.shape.end() - 2);
    const Shape batch = broadcast(batch_a, batch_b);
    Shape shape = batch;
    shape.insert(shape.end(), {rows, columns});
    OnnxValue y = made(ElementType::i32, shape);
    for (std::int64_t i = 0; i < count_of(shape); ++i) {
      const std::int64_t column = i % columns, row = i / columns % rows, of = i / (columns * rows);
      const auto from_a = static_cast<std::int64_t>(place(of, batch, batch_a)) * rows * inner;
      const auto from_b = static_cast<std::int64_t>(place(of, batch, batch_b)) * inner * columns;
      for (std::int64_t k = 0; k < inner; ++k) {
        y.integers[static_cast<std::size_t>(i)] += (a.integers[static_cast<std::size_t>(from_a + row * inner + k)] - a_zero) *
                                                   (b.integers[static_cast<std::size_t>(from_b + k * columns + column)] - b_zero);
      }
    }
    return y;
  }

  OnnxValue reshape() const {
    OnnxValue y = in(0);
    const Shape old = y.shape;
    const std::string& op = node_->op;
    if (op == "Flatten") {
      const auto axis = static_cast<std::ptrdiff_t>(integer("axis", 1));
      y.shape = {count_of({old.begin(), old.begin() + axis}), count_of({old.begin() + axis, old.end()})};
      return y;
    }
    List given = in(1).integers;
    if (op == "Reshape") {
      for (std::size_t i = 0; i < given.size(); ++i) given[i] = given[i] == 0 ? old[i] : given[i];
      const std::int64_t known = count_of(given);
      for (std::int64_t& dim : given) dim = dim == -1 ? count_of(old) / -known : dim;
      y.shape = given;
      return y;
    }
    const auto rank = static_cast<std::int64_t>(old.size() + (op == "Unsqueeze" ? given.size() : 0));
    for (std::int64_t& axis : given) axis += axis < 0 ? rank : 0;
    std::sort(given.begin(), given.end());
    if (op == "Unsqueeze") {
      for (const std::int64_t axis : given) y.shape.insert(y.shape.begin() + static_cast<std::ptrdiff_t>(axis), 1);
    } else {
      std::reverse(given.begin(), given.end());
      for (const std::int64_t axis : given) y.shape.erase(y.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    }
    return y;
  }

  // Each element of a new shape from the place in x that `from` says of its index.
  static OnnxValue moved(const OnnxValue& x, Shape shape, const std::function<std::int64_t(const List&)>& from) {
    OnnxValue y = made(x.type, std::move(shape));
    List index(y.shape.size());
    for (std::int64_t i = 0; i < count_of(y.shape); ++i) {
      std::int64_t rest = i;
      for (std::size_t d = y.shape.size(); d-- > 0; rest /= y.shape[d]) index[d] = rest % y.shape[d];
      const auto at = static_cast<std::size_t>(from(index));
      if (real(y)) y.reals[static_cast<std::size_t>(i)] = x.reals[at];
      if (!real(y)) y.integers[static_cast<std::size_t>(i)] = x.integers[at];
    }
    return y;
  }

  static std::int64_t offset(const Shape& shape, const List& index) {
    std::int64_t at = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) at = at * shape[d] + index[d];
    return at;
  }

  static OnnxValue transpose(const OnnxValue& x, const List& perm) {
    Shape shape;
    for (const std::int64_t d : perm) shape.push_back(x.shape[static_cast<std::size_t>(d)]);
    return moved(x, shape, [&](const List& index) {
      List there(index.size());
      for (std::size_t d = 0; d < perm.size(); ++d) there[static_cast<std::size_t>(perm[d])] = index[d];
      return offset(x.shape, there);
    });
  }

  OnnxValue gather() const {
    const OnnxValue& x = in(0);
    const OnnxValue& indices = in(1);
    const auto axis = static_cast<std::size_t>(integer("axis", 0));
    Shape shape(x.shape.begin(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis));
    shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
    shape.insert(shape.end(), x.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.shape.end());
    return moved(x, shape, [&](const List& index) {
      const auto first = index.begin() + static_cast<std::ptrdiff_t>(axis);
      const auto last = first + static_cast<std::ptrdiff_t>(indices.shape.size());
      List there(index.begin(), first);
      there.push_back(indices.integers[static_cast<std::size_t>(offset(indices.shape, {first, last}))]);
      there.insert(there.end(), last, index.end());
      return offset(x.shape, there);
    });
  }

  OnnxValue shape_of() const {
    OnnxValue y = made(ElementType::i64, {static_cast<std::int64_t>(in(0).shape.size())});
    y.integers = in(0).shape;
    return y;
  }

  // To a shape of the same rank.
  OnnxValue expand() const {
    const OnnxValue& x = in(0);
    return moved(x, in(1).integers, [&](List index) {
      for (std::size_t d = 0; d < index.size(); ++d) index[d] = x.shape[d] == 1 ? 0 : index[d];
      return offset(x.shape, index);
    });
  }

  // The first of the largest, without its axis.
  OnnxValue argmax() const {
    const OnnxValue& x = in(0);
    if (integer("keepdims", 1) != 0) throw std::runtime_error("an ArgMax that keeps its axis");
    std::int64_t axis = integer("axis", 0);
    axis += axis < 0 ? static_cast<std::int64_t>(x.shape.size()) : 0;
    Shape shape = x.shape;
    shape.erase(shape.begin() + axis);
    OnnxValue y = made(ElementType::i64, shape);
    const std::int64_t inner = count_of({x.shape.begin() + axis + 1, x.shape.end()});
    const std::int64_t size = x.shape[static_cast<std::size_t>(axis)];
    for (std::int64_t i = 0; i < count_of(shape); ++i) {
      const auto at = [&](std::int64_t k) {
        const auto element = static_cast<std::size_t>((i / inner * size + k) * inner + i % inner);
        return real(x) ? x.reals[element] : static_cast<double>(x.integers[element]);
      };
      for (std::int64_t k = 1; k < size; ++k) {
        if (at(k) > at(y.integers[static_cast<std::size_t>(i)])) y.integers[static_cast<std::size_t>(i)] = k;
      }
    }
    return y;
  }

  OnnxValue slice() const {
    const OnnxValue& x = in(0);
    Shape shape = x.shape;
    List starts(shape.size(), 0);
    for (std::size_t i = 0; i < in(3).integers.size(); ++i) {
      const auto axis = static_cast<std::size_t>(in(3).integers[i]);
      starts[axis] = in(1).integers[i];
      shape[axis] = std::min(in(2).integers[i], x.shape[axis]) - starts[axis];
    }
    return moved(x, shape, [&](List index) {
      for (std::size_t d = 0; d < index.size(); ++d) index[d] += starts[d];
      return offset(x.shape, index);
    });
  }

  OnnxValue concat() const {
    const std::int64_t given = integer("axis", 0);
    const auto axis = static_cast<std::size_t>(given < 0 ? given + static_cast<std::int64_t>(in(0).shape.size()) : given);
    OnnxValue y = made(in(0).type, {});
    y.shape = in(0).shape;
    y.shape[axis] = 0;
    for (std::size_t i = 0; i < node_->inputs.size(); ++i) y.shape[axis] += in(i).shape[axis];
    y.reals.clear();
    y.integers.clear();
    const std::int64_t outer = count_of({y.shape.begin(), y.shape.begin() + static_cast<std::ptrdiff_t>(axis)});
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::size_t i = 0; i < node_->inputs.size(); ++i) {
        const std::int64_t run = count_of(in(i).shape) / outer;
        const auto first = static_cast<std::ptrdiff_t>(o * run);
        if (real(y)) y.reals.insert(y.reals.end(), in(i).reals.begin() + first, in(i).reals.begin() + first + run);
        if (!real(y)) y.integers.insert(y.integers.end(), in(i).integers.begin() + first, in(i).integers.begin() + first + run);
      }
    }
    return y;
  }

  OnnxValue pad() const {
    const OnnxValue& x = in(0);
    const List& pads = in(1).integers;
    const std::size_t rank = x.shape.size();
    OnnxValue padded = plain(x);  // with the filling behind it
    if (real(x)) padded.reals.push_back(in(2).reals.front());
    if (!real(x)) padded.integers.push_back(in(2).integers.front());
    Shape shape = x.shape;
    for (std::size_t d = 0; d < rank; ++d) shape[d] += pads[d] + pads[d + rank];
    return moved(padded, shape, [&](List index) {
      for (std::size_t d = 0; d < rank; ++d) {
        index[d] -= pads[d];
        if (index[d] < 0 || index[d] >= x.shape[d]) return count_of(x.shape);
      }
      return offset(x.shape, index);
    });
  }

  OnnxValue max_pool() const {
    const OnnxValue& x = in(0);
    const List kernel = integers("kernel_shape", {});
    const List strides = integers("strides", {1, 1});
    const List pads = integers("pads", {0, 0, 0, 0});
    const Shape shape{x.shape[0], x.shape[1], (x.shape[2] + pads[0] + pads[2] - kernel[0]) / strides[0] + 1,
                      (x.shape[3] + pads[1] + pads[3] - kernel[1]) / strides[1] + 1};
    const auto larger = [&](std::int64_t a, std::int64_t b) {
      const auto i = static_cast<std::size_t>(a);
      const auto j = static_cast<std::size_t>(b);
      return real(x) ? x.reals[i] > x.reals[j] : x.integers[i] > x.integers[j];
    };
    return moved(x, shape, [&](const List& index) {
      std::int64_t best = -1;
      for (std::int64_t k = 0; k < kernel[0] * kernel[1]; ++k) {
        const std::int64_t h = index[2] * strides[0] - pads[0] + k / kernel[1];
        const std::int64_t w = index[3] * strides[1] - pads[1] + k % kernel[1];
        if (h < 0 || h >= x.shape[2] || w < 0 || w >= x.shape[3]) continue;
        const std::int64_t at = offset(x.shape, {index[0], index[1], h, w});
        if (best < 0 || larger(at, best)) best = at;
      }
      return best;
    });
  }

  OnnxValue reduce() const {
    const OnnxValue& x = in(0);
    List axes = has(1) ? in(1).integers : integers("axes", {});
    for (std::int64_t& axis : axes) axis += axis < 0 ? static_cast<std::int64_t>(x.shape.size()) : 0;
    Shape kept = x.shape;
    for (const std::int64_t axis : axes) kept[static_cast<std::size_t>(axis)] = 1;
    OnnxValue y = made(x.type, kept);
    std::vector<bool> begun(std::max(y.reals.size(), y.integers.size()), false);
    const bool sums = node_->op == "ReduceSum";
    for (std::int64_t i = 0; i < count_of(x.shape); ++i) {
      const std::size_t to = place(i, x.shape, kept);
      const auto at = static_cast<std::size_t>(i);
      const auto take = [&](auto& into, auto value) { into = !begun[to] ? value : sums ? into + value : std::max(into, value); };
      if (real(x)) take(y.reals[to], x.reals[at]);
      if (!real(x)) take(y.integers[to], x.integers[at]);
      begun[to] = true;
    }
    if (integer("keepdims", 1) != 0) return y;
    Shape shape;
    for (std::size_t d = 0; d < kept.size(); ++d) {
      if (std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(d)) == axes.end()) shape.push_back(kept[d]);
    }
    y.shape = shape;
    return y;
  }

  Values values_;
  const Node* node_ = nullptr;
};

}  // namespace

std::map<std::string, OnnxValue> evaluate(const frontend::onnx::Model& model, std::map<std::string, OnnxValue> inputs) {
  for (const auto& [name, tensor] : model.initializers) inputs.emplace(name, constant(tensor));
  Evaluation evaluation(std::move(inputs));
  for (const Node& node : model.nodes) evaluation.run(node);
  Values outputs;
  for (const frontend::onnx::ValueInfo& output : model.outputs) outputs.emplace(output.name, evaluation.value(output.name));
  return outputs;
}

}  // namespace stair::tests
