#include "frontend/verification/onnx/value.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "ir/error.h"

namespace stair::verification::onnx {

namespace {

constexpr double most_elements = 1 << 28;  // of a value

}  // namespace

double Value::number(std::int64_t i) const {
  const auto n = static_cast<std::size_t>(i);
  if (is_dequantized()) return static_cast<double>(static_cast<float>(integers[n]) * scale_of(i));
  return is_real() ? reals[n] : static_cast<double>(integers[n]);
}

std::size_t Value::place_along(std::int64_t i) const {
  std::int64_t inner = 1;
  for (std::size_t d = axis + 1; d < shape.size(); ++d) inner *= shape[d];
  return static_cast<std::size_t>(i / inner % shape[axis]);
}

Value made(ElementType type, ir::Shape shape) {
  double elements = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) throw Error(fmt::format("it yields the shape {}", ir::to_string(shape)));
    elements *= static_cast<double>(dimension);
  }
  if (elements > most_elements)
    throw Error(fmt::format("it yields the shape {}, expected at most {:.0f} elements", ir::to_string(shape), most_elements));
  Value value;
  value.type = type;
  value.shape = std::move(shape);
  if (value.is_real()) {
    value.reals.resize(static_cast<std::size_t>(elements));
  } else {
    value.integers.resize(static_cast<std::size_t>(elements));
  }
  return value;
}

Value as_numbers(const Value& value) {
  if (!value.is_dequantized()) return value;
  Value numbers = made(value.type, value.shape);
  numbers.constant = value.constant;
  for (std::int64_t i = 0; i < value.count(); ++i) numbers.reals[static_cast<std::size_t>(i)] = value.number(i);
  return numbers;
}

Value from_constant(const frontend::onnx::Constant& constant) {
  Value value;
  value.type = constant.type;
  value.shape = constant.shape;
  value.integers = constant.integers;
  value.reals.assign(constant.reals.begin(), constant.reals.end());
  value.constant = true;
  return value;
}

frontend::onnx::Constant to_constant(const Value& value) {
  const Value numbers = as_numbers(value);
  frontend::onnx::Constant constant;
  constant.type = numbers.type;
  constant.shape = numbers.shape;
  constant.integers = numbers.integers;
  for (const double number : numbers.reals) constant.reals.push_back(static_cast<float>(number));
  return constant;
}

double rounded(ElementType type, double number) {
  return type == ElementType::f64 ? number : static_cast<double>(static_cast<float>(number));
}

Limits limits_of(ElementType type) {
  const auto of = []<class T>(T) { return Limits{std::numeric_limits<T>::min(), std::numeric_limits<T>::max()}; };
  switch (type) {
    case ElementType::u8:
      return of(std::uint8_t{});
    case ElementType::s8:
      return of(std::int8_t{});
    case ElementType::u16:
      return of(std::uint16_t{});
    case ElementType::s16:
      return of(std::int16_t{});
    case ElementType::i32:
      return of(std::int32_t{});
    case ElementType::u32:
      return of(std::uint32_t{});
    case ElementType::u64:  // as far as int64 holds it
    case ElementType::i64:
      return of(std::int64_t{});
    case ElementType::boolean:
      return {0, 1};
    case ElementType::u4:
      return {0, 15};
    case ElementType::s4:
      return {-8, 7};
    default:
      throw Error(fmt::format("it has elements of {}, expected integers", frontend::onnx::to_string(type)));
  }
}

std::int64_t wrapped(ElementType type, std::int64_t integer) {
  if (type == ElementType::boolean) return integer != 0 ? 1 : 0;
  const Limits limits = limits_of(type);
  const auto range = static_cast<std::uint64_t>(limits.hi) - static_cast<std::uint64_t>(limits.lo) + 1;  // 0 where it is 2^64
  if (range == 0) return integer;
  const std::uint64_t above = (static_cast<std::uint64_t>(integer) - static_cast<std::uint64_t>(limits.lo)) & (range - 1);
  return limits.lo + static_cast<std::int64_t>(above);
}

}  // namespace stair::verification::onnx
