#pragma once

// The parts that cases() is put together from, a file each.

#include "tests/ops/cases.h"

namespace stair::tests {

void add_pointwise_cases(std::vector<Case>& list);       ///< activations, arithmetic, dropout, simulated quantization
void add_layer_cases(std::vector<Case>& list);           ///< convolutions, products, pools, normalization on floats
void add_shape_cases(std::vector<Case>& list);           ///< data movement, reductions, softmax
void add_training_cases(std::vector<Case>& list);        ///< losses, optimizers, observers, schedules
void add_integer_cases(std::vector<Case>& list);         ///< sums and movement of integers
void add_requantization_cases(std::vector<Case>& list);  ///< to integers and back, and the parameters for it

/// Attributes of a quantizing node.
inline ir::Attributes range(std::int64_t lo, std::int64_t hi) {
  return {{"lo", lo}, {"hi", hi}};
}
inline ir::Attributes range(std::int64_t lo, std::int64_t hi, std::int64_t axis) {
  return {{"lo", lo}, {"hi", hi}, {"axis", axis}};
}
inline std::int64_t integer(std::int64_t value) {
  return value;
}
inline std::string text(const char* value) {
  return value;
}

}  // namespace stair::tests
