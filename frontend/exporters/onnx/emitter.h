#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/exporter.h"
#include "frontend/exporters/onnx/proto.h"
#include "ir/graph.h"
#include "ir/kinds.h"

namespace stair::frontend::to_onnx {

/// How quantized layers are written: as float layers between DequantizeLinear and QuantizeLinear, or as operators on integers.
enum class Style : std::uint8_t { qdq, qlinear };

/// A node that ONNX Runtime computes otherwise than we do.
struct Inexact {
  std::string node, op, why;
};

/// Writes a deployment graph as nodes of ONNX. All integers of activations are u8: those that are s8 are written 128 larger, with zero
/// points that are, too (ONNX Runtime fuses no others on x86-64); weights are u8 with the zero point 128, so that processors without VNNI
/// don't saturate.
class Emitter {
 public:
  /// `preprocess`: inputs are what the model was trained on, u8 or f32, not normalized.
  Emitter(const Exported& model, Style style, bool preprocess);

  /// Emits all nodes. Error naming those, all of them, that can't be said.
  void run();
  /// The GraphProto.
  Message graph_message() const;
  const std::vector<Inexact>& inexact() const { return inexact_; }

  // For the files of ops.
  const ir::Graph& graph() const { return model_.artifact.graph; }
  Style style() const { return style_; }
  /// The tensor of a constant; nullptr for what inputs reach.
  const runtime::Tensor* constant(ir::ValueId value) const;
  /// Of constants that every artifact has: InternalError otherwise.
  std::vector<float> floats(ir::ValueId value) const;
  std::vector<std::int64_t> integers(ir::ValueId value) const;
  /// The scale of the weights that an int32 sum is made of; empty where it isn't known.
  std::vector<float> weight_scale(ir::ValueId sum) const;
  /// What the integers, as they are written, stand for; none where it isn't known.
  std::optional<Quantization> quantization(ir::ValueId value) const;
  /// How much larger integers are written.
  std::int64_t shift(ir::ValueId value) const { return graph().type(value).dtype == ir::DType::s8 ? 128 : 0; }

  /// The name of what a value is written as; a sum is written when it is first asked for.
  std::string operator()(ir::ValueId value);
  /// A new node's first output. `name`: as wanted, if it is free. The node has `node_name`, or the output's name.
  std::string add(const std::string& op, const std::vector<std::string>& inputs, const std::vector<Attribute>& attributes = {},
                  const std::string& name = "", const std::string& node_name = "");
  std::string floats(const std::vector<float>& values, const ir::Shape& shape);
  std::string integers(Element type, const std::vector<std::int64_t>& values, const ir::Shape& shape);  ///< u8, s8, i32 or i64
  std::string scalar(Element type, std::int64_t value) { return integers(type, {value}, {}); }
  std::string scalar(float value) { return floats({value}, {}); }
  std::string cast(const std::string& x, Element to, const std::string& name = "") {
    return add("Cast", {x}, {integer("to", static_cast<std::int64_t>(to))}, name);
  }

  /// What the value is called: an output by the output's name. No other value is called so, nor are helping ones; `stair verify` finds it.
  std::string wanted(ir::ValueId value) const;
  void yields(ir::ValueId value, const std::string& name) { names_[value] = name; }
  /// Likewise of integers that stand for what those of `like` do.
  void yields_like(ir::ValueId value, const std::string& name, ir::ValueId like);
  void differs(const ir::Node& node, std::string why);

 private:
  std::string normalized(std::size_t input);
  std::string unique(const std::string& base);
  std::string initializer(Element type, const ir::Shape& shape, const std::string& raw);
  std::string written_constant(ir::ValueId value);
  void emit(const ir::Node& node);
  void emit_outputs();

  const Exported& model_;
  Style style_;
  bool preprocess_;
  std::map<ir::ValueId, std::string> names_;
  std::map<ir::ValueId, Quantization> quantizations_;
  std::set<std::string> used_;
  std::set<std::string> reserved_;                        // names of values that no node yields yet
  std::map<std::string, std::string> initializer_names_;  // by type, shape and bytes
  std::vector<Message> nodes_, initializers_;
  std::vector<Message> outputs_;
  std::vector<Inexact> inexact_;
};

/// A sum of integers times weights: a convolution, or the product of a matrix with its transposed weights.
struct Layer {
  std::string name = {};  ///< of the sum, and of the node that is written
  ir::ValueId x = ir::absent;
  Quantization of_x = {};
  std::vector<std::int64_t> weights = {};  ///< s8
  ir::Shape shape = {};                    ///< theirs
  std::vector<float> scale = {};           ///< theirs, one or one an output channel
  std::vector<Attribute> window = {};      ///< of a convolution; none: a product
  float divisor = 1;                       ///< of an average, whose weights are 1
  bool drops_window = false;               ///< the result has no dimensions 2 and 3
};

/// How an op of a deployment graph is written: one file of a family in frontend/exporters/onnx/ops.
struct Operator {
  std::string name;
  std::function<void(Emitter&, const ir::Node&)> emit;
  bool on_demand = false;  ///< a sum, of which its reader decides how it is written
  /// Of a sum that may be a layer: which, but for what x stands for; none where it isn't one.
  std::function<std::optional<Layer>(const Emitter&, const ir::Node&)> layer = {};
};
using OperatorRegistry = ir::Registry<Operator>;
const OperatorRegistry& operators();

}  // namespace stair::frontend::to_onnx
