#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "frontend/importers/onnx/constant.h"
#include "frontend/importers/onnx/model.h"
#include "ir/type.h"

namespace stair::verification::onnx {

using frontend::onnx::ElementType;

/// A tensor of an ONNX graph under evaluation. Of float, float16 and bfloat16 the elements are rounded to binary32, of double to binary64;
/// integers are in the range of their type.
struct Value {
  ElementType type = ElementType::f32;
  ir::Shape shape = {};
  std::vector<double> reals = {};           ///< of real numbers, unless they are dequantized
  std::vector<std::int64_t> integers = {};  ///< of all others; and of real numbers that are dequantized
  /// Of what is dequantized: an element is an integer times the scale, one of all or one an index of dimension `axis`.
  std::vector<float> scale = {};
  std::size_t axis = 0;
  std::string sum = {};   ///< the node whose sums these are, or what follows of them by constants
  bool constant = false;  ///< no input of the model reaches it

  bool is_real() const { return frontend::onnx::is_real(type); }
  bool is_dequantized() const { return !scale.empty(); }
  std::int64_t count() const { return static_cast<std::int64_t>(is_real() && !is_dequantized() ? reals.size() : integers.size()); }
  /// Element i as a number; of what is dequantized the product, rounded.
  double number(std::int64_t i) const;
  /// The scale of element i.
  float scale_of(std::int64_t i) const { return scale[scale.size() == 1 ? 0 : place_along(i)]; }

 private:
  std::size_t place_along(std::int64_t i) const;
};

/// With so many elements of 0. Error where these are more than 2^28, or the shape has a dimension below 0.
Value made(ElementType type, ir::Shape shape);
/// With the numbers as they are, no longer integers times a scale.
Value as_numbers(const Value& value);
Value from_constant(const frontend::onnx::Constant& constant);
frontend::onnx::Constant to_constant(const Value& value);

/// The integer as the type holds it, the upper bits cut off.
std::int64_t wrapped(ElementType type, std::int64_t integer);
/// The real number as the type holds it.
double rounded(ElementType type, double number);
/// Least and largest integer of a type. Error for real numbers and text.
struct Limits {
  std::int64_t lo, hi;
};
Limits limits_of(ElementType type);

}  // namespace stair::verification::onnx
