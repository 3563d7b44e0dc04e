#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frontend/importers/onnx/constant.h"
#include "frontend/importers/onnx/layers.h"
#include "frontend/importers/onnx/model.h"
#include "ir/kinds.h"

namespace stair::frontend::onnx {

/// What a name of the file stands for: a constant, or the result of a layer.
struct Value {
  std::shared_ptr<const Constant> constant;
  std::string layer;  ///< where it is no constant
  ir::Shape shape;    ///< as the file counts dimensions
  ElementType type = ElementType::f32;
};

using Parameters = std::map<std::string, runtime::Tensor>;

/// What an operator's import works with: a node of the file, what its inputs stand for, and the layers that are made so far.
/// Dimensions and axes are those of the file, in which dimension 0 counts the examples, unless it is imported as one example: then layers
/// have one dimension more, in front.
class NodeContext {
 public:
  /// `lead`: the dimensions that layers have more, 0 or 1. `batch`: how many examples shapes are counted with.
  NodeContext(const Node& node, std::int64_t opset, Layers& layers, std::vector<std::optional<Value>> inputs, std::int64_t lead,
              std::int64_t batch);

  const Node& node;
  const std::int64_t opset;
  Layers& layers;
  const std::int64_t lead;
  const std::int64_t batch;
  std::vector<std::optional<Value>> results;  ///< one an output of the node

  // Inputs. Error where one is missing, or isn't what is asked for.
  std::size_t count() const { return inputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  const Value& input(std::size_t i) const;
  bool is_constant(std::size_t i) const { return has(i) && input(i).constant != nullptr; }
  const Constant& constant(std::size_t i, const char* what) const;
  /// A constant of integers, as a list.
  std::vector<std::int64_t> integers(std::size_t i, const char* what) const;
  /// A value of floats that layers read; a constant becomes a layer.
  Value floats(std::size_t i);

  // Attributes. Whatever isn't asked for is refused.
  bool has_attribute(const char* name);
  std::int64_t integer(const char* name, std::int64_t fallback);
  double real(const char* name, double fallback);
  std::string text(const char* name, const char* fallback);
  std::vector<std::int64_t> integer_list(const char* name, const std::vector<std::int64_t>& fallback = {});
  Constant tensor(const char* name);
  void ignore(std::initializer_list<const char*> names);  ///< means nothing here
  /// The list is an attribute before an opset, and an input from it on; nothing where neither is there.
  std::optional<std::vector<std::int64_t>> list_until(std::int64_t opset_of_input, const char* name, std::size_t i);
  void check_attributes_read() const;

  /// An axis of so many dimensions, counted from 0.
  std::int64_t axis(std::int64_t axis, std::size_t rank) const;
  /// That of the layer's value.
  std::int64_t layer_axis(std::int64_t of_file) const { return of_file + lead; }
  std::vector<std::int64_t> layer_axes(std::vector<std::int64_t> of_file) const;
  /// Of a layer's value from that of the file, and back.
  ir::Shape layer_shape(const ir::Shape& of_file) const;

  /// Adds a layer on these values, called as the node, or as it and the suffix.
  Value emit(const std::string& op, const std::vector<Value>& of, ir::Attributes attributes = {}, Parameters parameters = {},
             const std::string& suffix = "");
  Value emit_constant(Constant constant, const std::string& suffix = "constant");
  /// A number that broadcasts to anything.
  Value emit_number(double number, const std::string& suffix);
  /// A reshape to the file's shape, which leaves the examples where they are.
  Value emit_reshape(const Value& value, const ir::Shape& shape, const std::string& suffix = "");
  void yield(Value value, std::size_t output = 0);
  void yield(Constant constant, std::size_t output = 0);

  /// "node 'a' (Conv, opset 13)"
  std::string place() const;
  [[noreturn]] void fail(const std::string& message) const;
  void expect(bool condition, const std::string& message) const {
    if (!condition) fail(message);
  }

 private:
  const Attribute* attribute(const char* name, std::int32_t type, const char* kind);
  std::string unused(const std::string& suffix) const;
  std::vector<std::optional<Value>> inputs_;
  std::set<std::string, std::less<>> read_;
};

/// An operator of ONNX: one file, or one of a family, in frontend/importers/onnx/ops.
struct Operator {
  std::string name;
  std::string becomes;  ///< layers, for the documentation
  /// Makes layers, and yields what the node's outputs stand for. Error (NodeContext::fail) for what can't be had.
  std::function<void(NodeContext&)> import = {};
  /// The same where all inputs are constants. None: they become layers.
  std::function<void(NodeContext&)> fold = {};
  std::string domain = "";
};

using OperatorRegistry = ir::Registry<Operator>;
const OperatorRegistry& operators();

}  // namespace stair::frontend::onnx
