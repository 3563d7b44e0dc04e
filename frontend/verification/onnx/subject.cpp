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
  Value value = made(view.type.dtype == ir::DType::u8 ? ElementType::u8 : ElementType::f32, view.type.shape);
  for (std::int64_t i = 0; i < view.count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (value.is_real()) value.reals[at] = static_cast<double>(view.as<float>()[i]);
    if (!value.is_real()) value.integers[at] = view.as<std::uint8_t>()[i];
  }
  return value;
}

class File {
 public:
  File(const frontend::onnx::Model& file, const ir::Graph& deployed, const std::vector<std::string>& values)
      : file_(file), deployed_(deployed), evaluation_(file, names(deployed, values)), takes_data_(takes_data(file)) {
    check_inputs_of(file, deployed);
  }

  void run(const VerifyBatch& images) {
    const std::vector<TensorView>& views = takes_data_ ? images.data : images.inputs;
    std::map<std::string, Value> inputs;
    for (std::size_t i = 0; i < deployed_.inputs().size(); ++i) {
      inputs.emplace(deployed_.value(deployed_.inputs()[i]).name, from_view(views[i]));
    }
    for (const frontend::onnx::ValueInfo* input : inputs_of(file_)) check_input(*input, inputs.at(input->name));
    evaluation_.run(std::move(inputs));
    tensors_.clear();
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

  // Weights and bias of a sum, and the multiplier of what requantizes it.
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
    const auto named = [&](ValueId value) { return evaluation_.sums().find(deployed_.value(value).name); };
    const auto own = named(node.results.front());
    if (operand == "weight" && own != evaluation_.sums().end() && own->second.weights.count() > 0) return own->second.weights;
    if (node.operands.empty() || node.operands.front() == ir::absent) return std::nullopt;
    const auto sum = named(node.operands.front());
    if (sum == evaluation_.sums().end()) return std::nullopt;
    if (operand == "bias") return sum->second.bias;
    if (operand != "multiplier" || sum->second.multiplier.empty()) return std::nullopt;
    Value multiplier = made(ElementType::f32, {static_cast<std::int64_t>(sum->second.multiplier.size())});
    std::copy(sum->second.multiplier.begin(), sum->second.multiplier.end(), multiplier.reals.begin());
    return multiplier;
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
