#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "frontend/importers/onnx/operator.h"

namespace stair::frontend::onnx {

/// Inputs as layers that broadcast read them: constants become layers, and values with fewer dimensions get as many. Before opset 7, the
/// attribute `axis` says where the second one stands. Error for a constant
/// that says something else of each example.
std::vector<Value> broadcast_inputs(NodeContext& c);

/// What a constant of that many dimensions says of every example alike; Error where it says something else of each.
Constant of_one_example(const NodeContext& c, const Constant& constant, std::size_t rank);

/// A layer of two inputs.
Value emit_binary(NodeContext& c, const std::string& layer, const Value& a, const Value& b, const std::string& suffix = "");

/// Element by element of two constants that broadcast. Integers are computed as such where `whole` is there.
Constant folded(const Constant& a, const Constant& b, const std::function<double(double, double)>& real,
                const std::function<std::int64_t(std::int64_t, std::int64_t)>& whole = {});
Constant folded(const Constant& a, const std::function<double(double)>& function);

}  // namespace stair::frontend::onnx
