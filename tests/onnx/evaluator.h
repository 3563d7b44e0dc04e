#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "frontend/importers/onnx/model.h"

namespace stair::tests {

/// A tensor of an ONNX graph under evaluation: floats, rounded to binary32 unless they are doubles, or integers.
struct OnnxValue {
  frontend::onnx::ElementType type = frontend::onnx::ElementType::f32;
  ir::Shape shape;
  std::vector<double> reals = {};
  std::vector<std::int64_t> integers = {};
  /// Of floats that are integers times a scale: these (`integers` are filled, too); one, or one an index of dimension `axis`.
  std::vector<float> scale = {};
  std::size_t axis = 0;
};

/// Evaluates an exported graph node by node from the definitions of its operators (https://onnx.ai/onnx/operators), as ONNX Runtime
/// computes it: what stands between DequantizeLinear and QuantizeLinear on integers. It has nothing of the exporter. Throws for operators
/// that it doesn't know.
std::map<std::string, OnnxValue> evaluate(const frontend::onnx::Model& model, std::map<std::string, OnnxValue> inputs);

}  // namespace stair::tests
