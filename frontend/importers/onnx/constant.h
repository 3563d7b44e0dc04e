#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "frontend/importers/onnx/model.h"
#include "runtime/tensor.h"

namespace stair::frontend::onnx {

/// A tensor that is known at import: an initializer, or what follows from some. Real numbers of all types are kept as float, all others
/// (bool, too) as int64.
struct Constant {
  ElementType type = ElementType::f32;
  ir::Shape shape;
  std::vector<float> reals;
  std::vector<std::int64_t> integers;

  bool is_real() const { return onnx::is_real(type); }
  std::int64_t count() const { return static_cast<std::int64_t>(is_real() ? reals.size() : integers.size()); }
  /// Element i as a number.
  double number(std::int64_t i) const;
  void set(std::int64_t i, double value);
};

/// The elements of a tensor. Error for types that have none here (string).
Constant decode(const Tensor& tensor);

/// Of the type, with so many elements of 0. Error where these are more than are made at import.
Constant zeros(ElementType type, ir::Shape shape);
Constant integers_constant(std::vector<std::int64_t> values);

/// Constants of another shape: element i of the result is element source(i) of `from`, in row-major order.
Constant rearranged(const Constant& from, ir::Shape shape, const std::function<std::int64_t(std::int64_t)>& source);
/// Dimension i of the result is dimension permutation[i].
Constant transposed(const Constant& from, const std::vector<std::int64_t>& permutation);

/// The shape that both broadcast to. Error where they don't.
ir::Shape broadcast_shape(const ir::Shape& a, const ir::Shape& b);
/// The element of a constant of shape `from` that stands at element i of the shape `to` that it broadcasts to.
std::int64_t broadcast_index(const ir::Shape& from, const ir::Shape& to, std::int64_t i);
Constant broadcast_to(const Constant& from, const ir::Shape& shape);

/// The shortest decimal number that is this float: 1e-05 stays 1e-05 in a model JSON.
double shortest(double of_float);

/// As a parameter of a layer, of that shape, of as many elements.
runtime::Tensor to_tensor(const Constant& constant, ir::Shape shape);

}  // namespace stair::frontend::onnx
