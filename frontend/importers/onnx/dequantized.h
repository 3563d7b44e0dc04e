#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "frontend/importers/onnx/model.h"

namespace stair::frontend::onnx {

/// What the integers of an activation stand for: (q - zero_point) * scale, with q from 0 to 2^bits - 1, or symmetric: from
/// -(2^(bits - 1) - 1) to its negative, around the zero point 0.
struct QuantizedValue {
  float scale = 1;
  std::int32_t zero_point = 0;
  int bits = 8;
  bool symmetric = false;
  std::string node = {};  ///< that says so, for errors
  bool operator==(const QuantizedValue& other) const {
    return scale == other.scale && zero_point == other.zero_point && bits == other.bits && symmetric == other.symmetric;
  }
  /// Least and largest of q.
  std::int32_t lo() const { return symmetric ? 1 - (1 << (bits - 1)) : 0; }
  std::int32_t hi() const { return symmetric ? (1 << (bits - 1)) - 1 : (1 << bits) - 1; }
  /// Whether integers of the other are the same in these.
  bool covers(const QuantizedValue& other) const {
    return scale == other.scale && lo() - zero_point <= other.lo() - other.zero_point && hi() - zero_point >= other.hi() - other.zero_point;
  }
};

/// Weights or a bias that the file has as integers.
struct QuantizedConstant {
  std::vector<float> scale;  ///< one, or one an index of the axis
  std::int64_t axis = 0;
  int bits = 8;       ///< of the type; 32: a bias
  bool full = false;  ///< holds the least integer of its bits
};

/// A file's model in float: what stands between DequantizeLinear and QuantizeLinear, and what operators on integers mean.
struct Dequantized {
  Model model;                                                      ///< points into the file's bytes
  std::map<std::string, QuantizedValue, std::less<>> values;        ///< of values of the float model
  std::map<std::string, QuantizedConstant, std::less<>> constants;  ///< of its initializers
  std::vector<std::string> problems;                                ///< one a node
  std::vector<std::string> otherwise;                               ///< nodes that runtimes are known to compute by other rules
};

/// Whether activations of the model are integers somewhere.
bool is_quantized(const Model& model);
/// `model` must outlive the result.
Dequantized dequantized(const Model& model);

}  // namespace stair::frontend::onnx
