#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/verification/onnx/value.h"
#include "ir/kinds.h"

namespace stair::verification::onnx {

/// What a node sums: Σ (x - x_zero) · (w - w_zero), without its bias.
struct Sum {
  Value sums;                          ///< int32
  Value weights;                       ///< w - w_zero, of constants: [O,I,KH,KW] of a convolution, [O,K] of a product
  std::optional<Value> bias = {};      ///< its own, in int32, or the constant that is added behind it
  std::vector<float> multiplier = {};  ///< x_scale · w_scale, and / y_scale where a quantizer follows; or the constant that it is times
};
using Sums = std::map<std::string, Sum, std::less<>>;  ///< by the names of nodes

/// A node of the file that is evaluated.
class NodeRun {
 public:
  NodeRun(const frontend::onnx::Node& of, std::int64_t opset, std::vector<std::shared_ptr<const Value>> inputs, Sums& all_sums);

  const frontend::onnx::Node& node;
  const std::int64_t opset;
  Sums& sums;
  std::vector<std::optional<Value>> results;  ///< one an output

  std::size_t count() const { return inputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  const Value& in(std::size_t i) const;
  /// Its integers, of at most 1 dimension.
  const std::vector<std::int64_t>& list(std::size_t i) const;
  /// Its only element.
  std::int64_t integer(std::size_t i) const;
  float real(std::size_t i) const;

  // Attributes. Error where one is of another type.
  std::int64_t integer(const char* name, std::int64_t fallback);
  std::vector<std::int64_t> integers(const char* name, const std::vector<std::int64_t>& fallback = {});
  double real(const char* name, double fallback);
  std::string text(const char* name, const char* fallback);
  /// Error where there are others than were asked for.
  void check_attributes_read() const;
  /// An axis of so many dimensions, counted from 0.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;

  void yield(Value value, std::size_t output = 0);
  [[noreturn]] void fail(const std::string& message) const;
  void expect(bool condition, const std::string& message) const {
    if (!condition) fail(message);
  }
  /// "node 'a' (Conv, opset 13)"
  std::string place() const;
  /// The node's name, or what it yields where it has none.
  std::string name() const;

 private:
  const frontend::onnx::Attribute* attribute(const char* name, std::int32_t type);
  std::vector<std::shared_ptr<const Value>> inputs_;
  std::set<std::string, std::less<>> read_;
};

/// An operator by its definition (https://onnx.ai/onnx/operators): a file, or one of a family, in frontend/verification/onnx/ops. What
/// isn't among these is the layers that the importer makes of it (node_layers.h).
struct Operator {
  std::string name;
  /// Yields the node's outputs; false where the operands aren't such as it knows, for the layers to be taken. Error (NodeRun::fail) for
  /// what isn't defined.
  std::function<bool(NodeRun&)> run;
  std::string domain = "";
};

using OperatorRegistry = ir::Registry<Operator>;
const OperatorRegistry& operators();

}  // namespace stair::verification::onnx
