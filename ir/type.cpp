#include "ir/type.h"

#include <array>
#include <utility>

#include "ir/error.h"

namespace stair::ir {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Row, 6> rows{{{DType::f32, "f32", 4},
                                   {DType::f64, "f64", 8},
                                   {DType::s8, "s8", 1},
                                   {DType::u8, "u8", 1},
                                   {DType::i32, "i32", 4},
                                   {DType::i64, "i64", 8}}};

const Row& row_of(DType dtype) {
  for (const Row& row : rows) {
    if (row.dtype == dtype) return row;
  }
  throw InternalError("a dtype that has no name");
}

}  // namespace

std::string_view name_of(DType dtype) {
  return row_of(dtype).name;
}
std::size_t size_of(DType dtype) {
  return row_of(dtype).size;
}
bool is_float(DType dtype) {
  return dtype == DType::f32 || dtype == DType::f64;
}

DType dtype_named(std::string_view name) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (row.name == name) return row.dtype;
    names.emplace_back(row.name);
  }
  throw Error("unknown element type '" + std::string(name) + "', expected " + one_of(names));
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
