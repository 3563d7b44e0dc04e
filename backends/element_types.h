#pragma once

#include <string>

#include "ir/error.h"
#include "ir/type.h"

// From an element type that is known when a node is prepared to one that the compiler knows.

namespace stair::backends {

/// Calls function.template operator()<float>() or <double>() by the element type.
template <class Function>
void for_real(ir::DType dtype, Function&& function) {
  if (dtype == ir::DType::f32) return function.template operator()<float>();
  if (dtype == ir::DType::f64) return function.template operator()<double>();
  throw InternalError("a float kernel was handed " + std::string(ir::name_of(dtype)));
}

/// The same for the quantized types: s8 and u8.
template <class Function>
void for_quantized(ir::DType dtype, Function&& function) {
  if (dtype == ir::DType::s8) return function.template operator()<std::int8_t>();
  if (dtype == ir::DType::u8) return function.template operator()<std::uint8_t>();
  throw InternalError("an integer kernel was handed " + std::string(ir::name_of(dtype)));
}

/// Any element type by its size alone, for ops that only move elements.
template <class Function>
void for_any(ir::DType dtype, Function&& function) {
  switch (ir::size_of(dtype)) {
    case 1:
      return function.template operator()<std::uint8_t>();
    case 4:
      return function.template operator()<std::uint32_t>();
    default:
      return function.template operator()<std::uint64_t>();
  }
}

}  // namespace stair::backends
