#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stair::ir {

/// Element types. Quantized integers below 8 bits live in s8/u8 and keep to the range [lo, hi] that their op states (N-PARAM).
/// f64 exists for the double-precision check of `verify` and for gradient tests; no training or deployed graph holds it.
enum class DType : std::uint8_t { f32, f64, s8, u8, i32, i64 };

using Shape = std::vector<std::int64_t>;

struct Type {
  DType dtype = DType::f32;
  Shape shape;
  bool operator==(const Type&) const = default;
};

/// "f32", "s8", …
std::string_view name_of(DType dtype);
/// Inverse of name_of; throws Error with the nearest name.
DType dtype_named(std::string_view name);
/// Bytes of one element.
std::size_t size_of(DType dtype);
bool is_float(DType dtype);
/// What the action yields of an element, of the C++ type that such elements have.
template <class Action>
auto with_element_type(DType dtype, const Action& action) {
  switch (dtype) {
    case DType::f32:
      return action(float{});
    case DType::f64:
      return action(double{});
    case DType::s8:
      return action(std::int8_t{});
    case DType::u8:
      return action(std::uint8_t{});
    case DType::i32:
      return action(std::int32_t{});
    case DType::i64:
      break;
  }
  return action(std::int64_t{});
}

/// Whether a value may have the shape: at most 16 dimensions of at least 1, and at most 2^31 - 1 elements, so that sums and products of
/// sizes stay within 64 bits and libraries can count in 32.
bool is_valid(const Shape& shape);
/// What is expected of a shape that isn't valid.
inline constexpr std::string_view expected_shape = "at most 16 dimensions of at least 1 and 2147483647 elements";
/// Product of the dimensions of a valid shape; 1 for a scalar (rank 0).
std::int64_t element_count(const Shape& shape);
std::size_t byte_count(const Type& type);
/// "[64,1,28,28]"
std::string to_string(const Shape& shape);
/// "f32[64,1,28,28]"
std::string to_string(const Type& type);

/// A tensor that somebody else owns: what kernels are handed. Row-major and dense.
struct TensorView {
  Type type;
  void* data = nullptr;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  std::int64_t count() const { return element_count(type.shape); }
  std::int64_t dim(std::size_t axis) const { return type.shape[axis]; }
  std::size_t rank() const { return type.shape.size(); }
};

}  // namespace stair::ir
