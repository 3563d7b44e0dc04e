#pragma once

#include <map>
#include <string>

#include "frontend/importers/onnx/dequantized.h"
#include "frontend/importers/onnx/import.h"

namespace stair::frontend::onnx {

/// What of the model that is made is quantized in the file.
struct Quantization {
  std::map<std::string, QuantizedValue> values;               ///< by layer or input
  std::map<std::string, const QuantizedConstant*> constants;  ///< by state: weights and biases
};

/// Adds the recipe and the states of its quantizers, with which the model computes the file's integers: scales and zero points of
/// activations as they are ("fixed"), and as ranges for other observers; scales of weights as steps (N-LSQ). Adds a problem for each
/// quantizer that the file has where models have none, and the other way about, and for biases that aren't in steps of their sums.
void add_quantization(Made& made, const Quantization& quantization, const std::string& path);

}  // namespace stair::frontend::onnx
