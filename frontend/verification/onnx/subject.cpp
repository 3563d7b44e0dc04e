#include "frontend/verification/onnx/subject.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "frontend/verification/onnx/evaluation.h"
#include "ir/error.h"
#include "ir/op.h"

namespace stair::verification::onnx {

namespace {

using ir::TensorView;
using ir::ValueId;

// What the file calls a value.
std::string name_in_file(const ir::Graph& deployed, const std::string& value) {
  const ValueId id = deployed.find(value);
  for (const ir::Output& output : deployed.outputs()) {
    if (output.value == id) return output.name;
  }
  return value;
}

std::vector<const frontend::onnx::ValueInfo*> inputs_of(const frontend::onnx::Model& file) {
  std::vector<const frontend::onnx::ValueInfo*> inputs;
  for (const frontend::onnx::ValueInfo& input : file.inputs) {
    if (!file.initializers.contains(input.name)) inputs.push_back(&input);
  }
  return inputs;
}

void check_inputs_of(const frontend::onnx::Model& file, const ir::Graph& deployed) {
  std::vector<std::string> found;
  std::vector<std::string> expected;
  for (const frontend::onnx::ValueInfo* input : inputs_of(file)) found.push_back(input->name);
  for (const ValueId input : deployed.inputs()) expected.push_back(deployed.value(input).name);
  std::vector<std::string> sorted = expected;
  std::sort(found.begin(), found.end());
  std::sort(sorted.begin(), sorted.end());
  if (found != sorted)
    throw Error(fmt::format("{}: has the inputs '{}', expected '{}'", file.path, fmt::join(found, "', '"), fmt::join(expected, "', '")));
}

Value from_view(const TensorView& view) {
  const bool indices = view.type.dtype == ir::DType::i32;
  Value value = made(indices ? ElementType::i32 : view.type.dtype == ir::DType::u8 ? ElementType::u8 : ElementType::f32, view.type.shape);
  for (std::int64_t i = 0; i < view.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (value.is_real()) {
      value.reals[at] = static_cast<double>(view.as<float>()[i]);
    } else {
      value.integers[at] = indices ? view.as<std::int32_t>()[i] : view.as<std::uint8_t>()[i];
    }
  }
  return value;
}

class File {
 public:
  File(const frontend::onnx::Model& file, const ir::Graph& deployed, const std::vector<std::string>& values)
      : file_(file), deployed_(deployed), evaluation_(file, names(deployed, values)), takes_data_(takes_data(file)) {
    check_inputs_of(file, deployed);
    for (const frontend::onnx::Node& node : file.nodes) {
      for (const std::string& output : node.outputs) makers_.emplace(output, &node);
    }
  }

  void run(const VerifyBatch& images) {
    const std::vector<TensorView>& views = takes_data_ ? images.data : images.inputs;
    std::map<std::string, Value> inputs;
    for (std::size_t i = 0; i < deployed_.inputs().size(); ++i) {
      inputs.emplace(deployed_.value(deployed_.inputs()[i]).name, from_view(views[i]));
    }
    for (const frontend::onnx::ValueInfo* input : inputs_of(file_)) check_input(*input, inputs.at(input->name));
    evaluation_.run(inputs);
    tensors_.clear();
    if (std::exchange(checked_, true)) return;
    check_sums();
    check_fixed();
  }

  TensorView value(const std::string& name) {
    const ir::Type& type = deployed_.type(deployed_.find(name));
    const auto sum = evaluation_.sums().find(name);
    if (type.dtype == ir::DType::i32 && sum != evaluation_.sums().end()) return tensor_of(name, sum->second.sums, type);
    const std::string in_file = name_in_file(deployed_, name);
    if (evaluation_.has(in_file)) return tensor_of(name, evaluation_.value(in_file), type);
    const bool second = deployed_.value(deployed_.find(name)).result != 0;  // positions of a max-pool
    if (type.dtype == ir::DType::i32 || second) return {};
    throw Error(fmt::format("{}: has no value '{}', expected one for each of training's that is deployed", file_.path, in_file));
  }

  // Weights and bias of a sum, the multiplier of what requantizes it; scale, zero point, range and table of a quantizer.
  TensorView constant(const std::string& name) {
    for (const ir::Node& node : deployed_.nodes()) {
      for (std::size_t i = 0; i < node.operands.size(); ++i) {
        const ValueId operand = node.operands[i];
        if (operand == ir::absent || deployed_.value(operand).name != name) continue;
        const std::optional<Value> found = said_by_file(node, node.op->operands[std::min(i, node.op->operands.size() - 1)].name);
        if (!found) continue;
        ir::Type type = deployed_.type(operand);
        return tensor_of(name, *found, type);
      }
    }
    return {};
  }

 private:
  static std::set<std::string, std::less<>> names(const ir::Graph& deployed, const std::vector<std::string>& values) {
    std::set<std::string, std::less<>> all;
    for (const std::string& value : values) all.insert(name_in_file(deployed, value));
    return all;
  }

  void check_input(const frontend::onnx::ValueInfo& input, const Value& given) const {
    if (input.type != given.type) {
      throw Error(fmt::format("{}: its input '{}' is of {}, expected {}", file_.path, input.name, frontend::onnx::to_string(input.type),
                              frontend::onnx::to_string(given.type)));
    }
    const std::vector<frontend::onnx::Dimension> shape = input.shape.value_or(std::vector<frontend::onnx::Dimension>());
    bool fits = !input.shape || shape.size() == given.shape.size();
    for (std::size_t d = 0; fits && d < shape.size(); ++d) fits = !shape[d].size || *shape[d].size == given.shape[d];
    if (!fits) throw Error(fmt::format("{}: its input '{}' isn't {}", file_.path, input.name, ir::to_string(given.shape)));
  }

  std::optional<Value> said_by_file(const ir::Node& node, const std::string& operand) const {
    const Sums& sums = evaluation_.sums();
    const auto named = [&](ValueId value) { return sums.find(deployed_.value(value).name); };
    const auto own = named(node.results.front());
    if (operand == "weight" && own != sums.end() && own->second.weights.count() > 0) return own->second.weights;
    const auto sum = node.operands.empty() || node.operands.front() == ir::absent ? sums.end() : named(node.operands.front());
    if (sum != sums.end() && operand == "bias" && sum->second.bias) return sum->second.bias;
    const bool multiplies = operand == "multiplier" || operand == "scale";
    if (sum != sums.end() && multiplies && !sum->second.multiplier.empty()) {
      Value multiplier = made(ElementType::f32, {static_cast<std::int64_t>(sum->second.multiplier.size())});
      std::copy(sum->second.multiplier.begin(), sum->second.multiplier.end(), multiplier.reals.begin());
      return multiplier;
    }
    return said_by_quantizer(node, operand);
  }

  // What rounds the node's result in the file, with the Clip behind it.
  struct Rounding {
    const frontend::onnx::Node* from = nullptr;
    std::optional<Value> range = {};  // as training has it
  };
  Rounding rounding_of(const ir::Node& node) const {
    const ir::Value& result = deployed_.value(node.results.front());
    const frontend::onnx::Node* from = yielding(name_in_file(deployed_, result.name));
    if (from == nullptr || from->op != "Clip" || from->inputs.size() != 3) return {from, {}};
    Value range = made(ElementType::i32, {2});
    for (std::size_t end = 0; end < 2; ++end) {
      const Value& its = evaluation_.value(from->inputs[end + 1]);
      if (its.is_real() || its.count() != 1 || limits_of(its.type).hi > limits_of(ElementType::i32).hi) return {};
      range.integers[end] = its.integers.front() - (result.type.dtype == ir::DType::s8 ? 128 : 0);
    }
    return {yielding(from->inputs.front()), std::move(range)};
  }

  std::optional<Value> input_of(const frontend::onnx::Node* node, std::size_t i) const {
    if (node == nullptr || i >= node->inputs.size() || !evaluation_.has(node->inputs[i])) return std::nullopt;
    return evaluation_.value(node->inputs[i]);
  }

  // DequantizeLinear of operand i of a sum or product of two.
  const frontend::onnx::Node* dequantizing(const frontend::onnx::Node* quantizing, std::size_t i) const {
    const frontend::onnx::Node* function = quantizing->inputs.empty() ? nullptr : yielding(quantizing->inputs.front());
    if (function != nullptr && function->inputs.size() == 1) function = yielding(function->inputs.front());
    if (function == nullptr || function->inputs.size() != 2) return nullptr;
    const frontend::onnx::Node* found = yielding(function->inputs[i]);
    return found != nullptr && found->op == "DequantizeLinear" ? found : nullptr;
  }

  std::optional<Value> said_by_quantizer(const ir::Node& node, const std::string& operand) const {
    const auto [from, range] = rounding_of(node);
    if (operand == "range") return range;
    if (from == nullptr) return std::nullopt;
    const bool quantizes = from->op == "QuantizeLinear";
    const auto zero = [&](std::optional<Value> its, ValueId of) -> std::optional<Value> {
      if (!its || its->is_real() || limits_of(its->type).hi > limits_of(ElementType::i32).hi) return std::nullopt;
      for (std::int64_t& z : its->integers) z -= deployed_.type(of).dtype == ir::DType::s8 ? 128 : 0;
      its->type = ElementType::i32;
      return its;
    };
    if (from->op == "Gather" && (operand == "table" || node.op->integer.of_weights)) return input_of(from, 0);
    const bool is_float = ir::is_float(deployed_.type(node.results.front()).dtype);
    if (from->op == "DequantizeLinear" && is_float) {
      if (operand == "scale") return input_of(from, 1);
      return operand == "zero_point" ? zero(input_of(from, 2), node.operands.front()) : std::nullopt;
    }
    if (quantizes && (operand == "a_scale" || operand == "b_scale")) return input_of(dequantizing(from, operand == "a_scale" ? 0 : 1), 1);
    if (quantizes && operand == "a_zero_point") return zero(input_of(dequantizing(from, 0), 2), node.operands[0]);
    if (quantizes && operand == "b_zero_point") return zero(input_of(dequantizing(from, 1), 2), node.operands[1]);
    if (quantizes && operand == "bias") {  // in steps of the result, in float
      const frontend::onnx::Node* added = yielding(from->inputs.front());
      const std::optional<Value> its = added != nullptr && added->op == "Add" ? input_of(added, 1) : std::nullopt;
      return its && its->constant && its->is_real() ? its : std::nullopt;
    }
    if (quantizes && !is_float && (operand == "scale" || operand == "y_scale")) return input_of(from, 1);
    const bool of_result = !is_float && (operand == "y_zero_point" || operand == "zero_point");
    if (!of_result || (!quantizes && from->op != "QLinearConv")) return std::nullopt;
    return zero(input_of(from, quantizes ? 2 : 7), node.results.front());
  }

  // A layer whose scales don't go together is one in float, whatever its operands are.
  void check_sums() const {
    for (const frontend::onnx::Node& node : file_.nodes) {
      const ValueId sum = node.name.empty() ? ir::absent : deployed_.find(node.name);
      if (sum == ir::absent || deployed_.type(sum).dtype != ir::DType::i32) continue;
      if (evaluation_.sums().contains(node.name) || evaluation_.has(node.name)) continue;
      throw Error(fmt::format("{}: node '{}' ({}) doesn't sum integers, as training does, expected a bias in steps of x_scale * w_scale",
                              file_.path, node.name, node.op));
    }
  }

  // What the graph has no constants for: the range of integers that nothing narrows, and the weights of an average.
  void check_fixed() const {
    for (const ir::Node& node : deployed_.nodes()) {
      const ir::Value& result = deployed_.value(node.results.front());
      const auto sum = evaluation_.sums().find(result.name);
      const bool weighs =
          std::any_of(node.op->operands.begin(), node.op->operands.end(), [](const auto& its) { return its.name == "weight"; });
      if (sum != evaluation_.sums().end() && !weighs) {
        const std::vector<std::int64_t>& ones = sum->second.weights.integers;
        if (std::any_of(ones.begin(), ones.end(), [](std::int64_t one) { return one != 1; }))
          throw Error(fmt::format("{}: '{}' has other weights than 1, and is an average in training", file_.path, result.name));
      }
      const std::optional<Value> range = rounding_of(node).range;
      const bool narrowed = !node.op->operands.empty() && node.op->operands.back().name == "range" &&
                            node.operand(node.op->operands.size() - 1) != ir::absent;
      if (!range || narrowed || !node.attributes.has("lo")) continue;
      const std::int64_t lo = node.attributes.integer("lo");
      const std::int64_t hi = node.attributes.integer("hi");
      if (range->integers[0] == lo && range->integers[1] == hi) continue;
      throw Error(fmt::format("{}: '{}' is limited to {} to {}, in training to {} to {}", file_.path, result.name, range->integers[0],
                              range->integers[1], lo, hi));
    }
  }

  const frontend::onnx::Node* yielding(const std::string& value) const {
    const auto it = makers_.find(value);
    return it == makers_.end() ? nullptr : it->second;
  }

  // An element that isn't like the first, if there is one.
  static std::int64_t odd_one(const Value& value) {
    std::int64_t i = 0;
    while (i < value.count() && value.number(i) == value.number(0)) ++i;
    return i % value.count();
  }

  // As training has it.
  TensorView tensor_of(const std::string& name, const Value& value, const ir::Type& type) {
    if (const auto it = tensors_.find(name); it != tensors_.end()) return it->second.view();
    const std::int64_t count = ir::element_count(type.shape);
    // One for all and one a channel are the same where all are equal.
    const bool is_constant = deployed_.state(deployed_.find(name)) != nullptr;
    const bool one_for_all = is_constant && value.count() == 1;
    const bool all_for_one = is_constant && count == 1 && value.count() > 1;
    if (value.count() != count && !one_for_all && !all_for_one) {
      throw Error(fmt::format("{}: '{}' is {}, training has {}", file_.path, name, ir::to_string(value.shape), ir::to_string(type)));
    }
    const bool is_float = type.dtype == ir::DType::f32;
    if (is_float != value.is_real()) {
      throw Error(
          fmt::format("{}: '{}' is of {}, training has {}", file_.path, name, frontend::onnx::to_string(value.type), ir::to_string(type)));
    }
    const std::int64_t shift = type.dtype == ir::DType::s8 && value.type == ElementType::u8 ? 128 : 0;
    runtime::Tensor tensor(type);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t from = one_for_all ? 0 : all_for_one ? odd_one(value) : i;
      if (is_float) {
        tensor.as<float>()[i] = static_cast<float>(value.number(from));
        continue;
      }
      const std::int64_t q = value.integers[static_cast<std::size_t>(from)] - shift;
      switch (type.dtype) {
        case ir::DType::u8:
          tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(q);
          break;
        case ir::DType::s8:
          tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(q);
          break;
        default:
          tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(q);
      }
    }
    return tensors_.emplace(name, std::move(tensor)).first->second.view();
  }

  const frontend::onnx::Model& file_;
  const ir::Graph deployed_;
  Evaluation evaluation_;
  bool takes_data_;
  bool checked_ = false;
  std::map<std::string, const frontend::onnx::Node*, std::less<>> makers_;
  std::map<std::string, runtime::Tensor> tensors_;  // of the last run
};

}  // namespace

bool takes_data(const frontend::onnx::Model& file) {
  const auto said = file.metadata.find("stair.preprocess");
  const bool says = said != file.metadata.end() && said->second == "true";
  const std::vector<const frontend::onnx::ValueInfo*> inputs = inputs_of(file);
  return says || std::any_of(inputs.begin(), inputs.end(), [](const auto* input) { return input->type == ElementType::u8; });
}

Subject subject_of(const frontend::onnx::Model& file, const ir::Graph& deployed, const std::vector<std::string>& values) {
  auto its = std::make_shared<File>(file, deployed, values);
  return {"the file's operators", [its](const VerifyBatch& images) { its->run(images); },
          [its](const std::string& value) { return its->value(value); }, [its](const std::string& value) { return its->constant(value); }};
}

}  // namespace stair::verification::onnx
