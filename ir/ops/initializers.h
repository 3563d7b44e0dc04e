#pragma once

#include <cmath>

#include "ir/op.h"

namespace stair::ir::ops {

/// U(-1/sqrt(fan_in), 1/sqrt(fan_in)): the default of PyTorch's layers (He et al. 2015 with a = sqrt(5)).
inline Initializer kaiming_uniform(std::int64_t fan_in) {
  return {Initializer::Kind::uniform, 1 / std::sqrt(static_cast<double>(fan_in))};
}

inline Initializer constant_initializer(double value) {
  return {Initializer::Kind::constant, value};
}

}  // namespace stair::ir::ops
