#include "frontend/importers/onnx/constant.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "ir/error.h"

namespace stair::frontend::onnx {
namespace {

constexpr std::int64_t most_folded = 1 << 28;  // elements of a constant that import computes

float half_to_float(std::uint16_t bits) {
  const unsigned exponent = bits >> 10 & 0x1F;
  const unsigned fraction = bits & 0x3FF;
  const float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31 ? (fraction != 0 ? std::nanf("") : HUGE_VALF)
                                           : std::ldexp(static_cast<float>(fraction + 0x400), static_cast<int>(exponent) - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float bfloat_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

template <class T>
T element_at(std::string_view raw, std::int64_t i) {
  T value;
  std::memcpy(&value, raw.data() + static_cast<std::size_t>(i) * sizeof(T), sizeof(T));
  return value;
}

// Two a byte, the first in the lower half.
std::int64_t nibble(std::uint8_t byte, std::int64_t i, bool is_signed) {
  const auto value = static_cast<std::int64_t>(i % 2 == 0 ? byte & 0xF : byte >> 4);
  return is_signed && value > 7 ? value - 16 : value;
}

float real_of(const Tensor& tensor, std::int64_t i) {
  const auto n = static_cast<std::size_t>(i);
  const bool raw = !tensor.raw.empty();
  switch (tensor.type) {
    case ElementType::f32:
      return raw ? element_at<float>(tensor.raw, i) : tensor.floats[n];
    case ElementType::f64:
      return static_cast<float>(raw ? element_at<double>(tensor.raw, i) : tensor.doubles[n]);
    case ElementType::f16:
      return half_to_float(raw ? element_at<std::uint16_t>(tensor.raw, i) : static_cast<std::uint16_t>(tensor.integers[n]));
    default:
      return bfloat_to_float(raw ? element_at<std::uint16_t>(tensor.raw, i) : static_cast<std::uint16_t>(tensor.integers[n]));
  }
}

std::int64_t integer_of(const Tensor& tensor, std::int64_t i) {
  const bool narrow = tensor.type == ElementType::u4 || tensor.type == ElementType::s4;
  if (tensor.raw.empty()) {
    if (narrow)
      return nibble(static_cast<std::uint8_t>(tensor.integers[static_cast<std::size_t>(i / 2)]), i, tensor.type == ElementType::s4);
    return tensor.integers[static_cast<std::size_t>(i)];
  }
  switch (tensor.type) {
    case ElementType::u8:
    case ElementType::boolean:
      return element_at<std::uint8_t>(tensor.raw, i);
    case ElementType::s8:
      return element_at<std::int8_t>(tensor.raw, i);
    case ElementType::u16:
      return element_at<std::uint16_t>(tensor.raw, i);
    case ElementType::s16:
      return element_at<std::int16_t>(tensor.raw, i);
    case ElementType::i32:
      return element_at<std::int32_t>(tensor.raw, i);
    case ElementType::u32:
      return element_at<std::uint32_t>(tensor.raw, i);
    case ElementType::u4:
    case ElementType::s4:
      return nibble(element_at<std::uint8_t>(tensor.raw, i / 2), i, tensor.type == ElementType::s4);
    default:
      return element_at<std::int64_t>(tensor.raw, i);
  }
}

// Elements between two neighbours along each dimension.
std::vector<std::int64_t> strides_of(const ir::Shape& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 1;) strides[d - 1] = strides[d] * shape[d];
  return strides;
}

std::int64_t count_of(const ir::Shape& shape) {
  double count = 1;
  bool is_empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) throw Error("a constant would have the shape " + ir::to_string(shape));
    count *= static_cast<double>(std::max<std::int64_t>(dimension, 1));
    is_empty = is_empty || dimension == 0;
  }
  if (count > static_cast<double>(most_folded)) {
    throw Error(fmt::format("a constant would have the shape {}, expected at most {} elements", ir::to_string(shape), most_folded));
  }
  return is_empty ? 0 : static_cast<std::int64_t>(count);
}

}  // namespace

double Constant::number(std::int64_t i) const {
  const auto n = static_cast<std::size_t>(i);
  return is_real() ? static_cast<double>(reals[n]) : static_cast<double>(integers[n]);
}

void Constant::set(std::int64_t i, double value) {
  const auto n = static_cast<std::size_t>(i);
  if (is_real()) {
    reals[n] = static_cast<float>(value);
  } else {
    constexpr double most = 0x1p62;  // what isn't a number becomes 0, as nobody may rely on it
    integers[n] = std::isnan(value) ? 0 : static_cast<std::int64_t>(std::clamp(value, -most, most));
  }
}

Constant zeros(ElementType type, ir::Shape shape) {
  const auto count = static_cast<std::size_t>(count_of(shape));
  Constant made{type, std::move(shape), {}, {}};
  if (made.is_real()) {
    made.reals.resize(count);
  } else {
    made.integers.resize(count);
  }
  return made;
}

Constant decode(const Tensor& tensor) {
  const bool known = onnx::is_real(tensor.type) || tensor.type == ElementType::u8 || tensor.type == ElementType::s8 ||
                     tensor.type == ElementType::u16 || tensor.type == ElementType::s16 || tensor.type == ElementType::i32 ||
                     tensor.type == ElementType::u32 || tensor.type == ElementType::i64 || tensor.type == ElementType::u64 ||
                     tensor.type == ElementType::boolean || tensor.type == ElementType::u4 || tensor.type == ElementType::s4;
  if (!known) throw Error(fmt::format("the tensor '{}' is of {}, expected numbers", tensor.name, to_string(tensor.type)));
  Constant made = zeros(tensor.type, tensor.shape);
  if (tensor.type == ElementType::f32 && !tensor.raw.empty()) {
    std::memcpy(made.reals.data(), tensor.raw.data(), tensor.raw.size());
    return made;
  }
  for (std::int64_t i = 0; i < made.count(); ++i) {
    if (made.is_real()) {
      made.reals[static_cast<std::size_t>(i)] = real_of(tensor, i);
    } else {
      made.integers[static_cast<std::size_t>(i)] = integer_of(tensor, i);
    }
  }
  return made;
}

Constant integers_constant(std::vector<std::int64_t> values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return {ElementType::i64, {count}, {}, std::move(values)};
}

Constant rearranged(const Constant& from, ir::Shape shape, const std::function<std::int64_t(std::int64_t)>& source) {
  Constant made = zeros(from.type, std::move(shape));
  for (std::int64_t i = 0; i < made.count(); ++i) {
    const auto to = static_cast<std::size_t>(i);
    const auto at = static_cast<std::size_t>(source(i));
    if (made.is_real()) {
      made.reals[to] = from.reals[at];
    } else {
      made.integers[to] = from.integers[at];
    }
  }
  return made;
}

Constant transposed(const Constant& from, const std::vector<std::int64_t>& permutation) {
  ir::Shape shape;
  for (const std::int64_t d : permutation) shape.push_back(from.shape[static_cast<std::size_t>(d)]);
  const std::vector<std::int64_t> strides = strides_of(from.shape);
  return rearranged(from, shape, [&](std::int64_t i) {
    std::int64_t at = 0;
    for (std::size_t d = shape.size(); d-- > 0; i /= shape[d]) at += i % shape[d] * strides[static_cast<std::size_t>(permutation[d])];
    return at;
  });
}

ir::Shape broadcast_shape(const ir::Shape& a, const ir::Shape& b) {
  ir::Shape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    const std::int64_t of_a = d < a.size() ? a[a.size() - 1 - d] : 1;
    const std::int64_t of_b = d < b.size() ? b[b.size() - 1 - d] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1)
      throw Error(fmt::format("{} and {} don't broadcast to one shape", ir::to_string(a), ir::to_string(b)));
    shape[shape.size() - 1 - d] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

std::int64_t broadcast_index(const ir::Shape& from, const ir::Shape& to, std::int64_t i) {
  std::int64_t at = 0;
  std::int64_t stride = 1;
  for (std::size_t d = 0; d < from.size(); ++d) {
    const std::int64_t size = from[from.size() - 1 - d];
    const std::int64_t whole = to[to.size() - 1 - d];
    at += size == 1 ? 0 : i % whole * stride;
    i /= whole;
    stride *= size;
  }
  return at;
}

Constant broadcast_to(const Constant& from, const ir::Shape& shape) {
  return rearranged(from, shape, [&](std::int64_t i) { return broadcast_index(from.shape, shape, i); });
}

double shortest(double of_float) {
  return std::stod(fmt::format("{}", static_cast<float>(of_float)));
}

runtime::Tensor to_tensor(const Constant& constant, ir::Shape shape) {
  runtime::Tensor tensor({ir::DType::f32, std::move(shape)});
  if (tensor.count() != constant.count())
    throw Error(fmt::format("{} elements, expected {}", ir::to_string(constant.shape), ir::to_string(tensor.type().shape)));
  for (std::int64_t i = 0; i < constant.count(); ++i) tensor.as<float>()[i] = static_cast<float>(constant.number(i));
  return tensor;
}

}  // namespace stair::frontend::onnx
