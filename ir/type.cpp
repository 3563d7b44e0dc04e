#include "ir/type.h"

#include <utility>

#include "ir/enum_names.h"

namespace stair::ir {
namespace {

constexpr std::pair<DType, std::string_view> dtype_names[] = {{DType::f32, "f32"}, {DType::f64, "f64"}, {DType::s8, "s8"},
                                                              {DType::u8, "u8"},   {DType::i32, "i32"}, {DType::i64, "i64"}};

}  // namespace

std::string_view name_of(DType dtype) {
  return name_in(dtype_names, dtype);
}
std::size_t size_of(DType dtype) {
  return with_element_type(dtype, []<class T>(T) { return sizeof(T); });
}
bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64;
}

DType dtype_named(std::string_view name) {
  return named_in(dtype_names, name, "element type");
}

bool is_valid(const Shape& shape) {
  constexpr std::size_t most_dimensions = 16;
  constexpr std::int64_t most_elements = (std::int64_t{1} << 31) - 1;
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 1 || dim > most_elements / count) return false;
    count *= dim;
  }
  return shape.size() <= most_dimensions;
}

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  return count;
}

std::size_t byte_count(const Type& type) {
  return static_cast<std::size_t>(element_count(type.shape)) * size_of(type.dtype);
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ",";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

std::string to_string(const Type& type) {
  return std::string(name_of(type.dtype)) + to_string(type.shape);
}

}  // namespace stair::ir
