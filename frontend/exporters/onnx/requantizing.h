#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/exporters/onnx/emitter.h"

namespace stair::frontend::to_onnx {

/// kernel_shape, strides and pads of a node with a window, and of a convolution dilations and group.
std::vector<Attribute> window_of(const ir::Node& node, const ir::Shape& kernel);

/// A value, its last two dimensions exchanged if `transposed`.
std::string matrix(Emitter& emit, ir::ValueId value, bool transposed);

/// What is summed by the node, where that is a layer and its scales are known.
std::optional<Layer> layer_of(const Emitter& emit, const ir::Node& sum);

/// The layer in float, its operands behind DequantizeLinear; ONNX Runtime computes it on integers where QuantizeLinear follows, and a
/// product in any case. `bias` i32, one or one an output channel, or empty.
std::string in_float(Emitter& emit, const Layer& layer, const std::vector<std::int64_t>& bias, const std::string& name = "");
/// The same as QLinearConv.
std::string in_integers(Emitter& emit, const Layer& layer, const std::vector<std::int64_t>& bias, const Quantization& of_y,
                        const std::string& name);

/// What the node's result is called before clamped(): nothing, where that has something to do.
std::string name_unclamped(const Emitter& emit, const ir::Node& node, ir::ValueId range);
/// u8 as they are written, between lo and hi of the node, or of its operand `range` if it has one.
std::string clamped(Emitter& emit, const ir::Node& node, ir::ValueId range, const std::string& q);

/// x · mantissa · 2^(shift - 31) of int64 x by N-REQ-FIXED; mantissa and shift have the shape.
std::string fixed_product(Emitter& emit, const std::string& x, const std::vector<std::int64_t>& mantissa,
                          const std::vector<std::int64_t>& shift, const ir::Shape& shape);
/// int64 plus the zero point of the node's result, limited as clamped() does, as u8.
std::string placed(Emitter& emit, const ir::Node& node, ir::ValueId zero_point, ir::ValueId range, const std::string& steps);

/// The shape of a parameter a channel of a tensor of that rank, along `axis`; of a single one [].
ir::Shape along(std::size_t count, std::int64_t axis, std::size_t rank);
/// int32 sum with its bias, where that is i32.
std::string biased(Emitter& emit, const std::string& sum, ir::ValueId bias, std::int64_t axis, std::size_t rank);

}  // namespace stair::frontend::to_onnx
