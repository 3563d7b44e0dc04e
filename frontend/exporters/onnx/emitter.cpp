#include "frontend/exporters/onnx/emitter.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "ir/error.h"
#include "ir/op.h"

namespace stair::frontend::to_onnx {

using ir::DType;
using ir::ValueId;

namespace {

Element element_of(DType type) {
  switch (type) {
    case DType::f32:
      return Element::f32;
    case DType::f64:
      return Element::f64;
    case DType::i32:
      return Element::i32;
    case DType::i64:
      return Element::i64;
    case DType::s8:
      return Element::s8;
    case DType::u8:
      break;
  }
  return Element::u8;
}

template <class T>
std::string raw_of(const std::vector<std::int64_t>& values) {
  std::string raw(values.size() * sizeof(T), '\0');
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<T>(values[i]);
    std::memcpy(raw.data() + i * sizeof(T), &value, sizeof(T));
  }
  return raw;
}

}  // namespace

Emitter::Emitter(const Exported& model, Style style, bool preprocess) : model_(model), style_(style), preprocess_(preprocess) {
  for (const ir::Output& output : graph().outputs()) reserved_.insert(output.name);
  for (const ir::Node& node : graph().nodes()) {
    for (const ValueId result : node.results) reserved_.insert(graph().value(result).name);
  }
  used_.insert(reserved_.begin(), reserved_.end());
  for (const ValueId input : graph().inputs()) {
    const std::string& name = graph().value(input).name;
    used_.insert(name);
    names_[input] = name;
  }
  for (std::size_t i = 0; preprocess && i < graph().inputs().size(); ++i) names_[graph().inputs()[i]] = normalized(i);
}

// As runtime/batches.h does it, each operation rounded.
std::string Emitter::normalized(std::size_t input) {
  const runtime::InputForm& form = model_.artifact.inputs[input];
  const ValueId value = graph().inputs()[input];
  const std::size_t rank = graph().type(value).shape.size();
  std::string x = graph().value(value).name;
  const auto channels = [&](const std::vector<double>& numbers) {
    ir::Shape shape = numbers.size() == 1 ? ir::Shape{} : ir::Shape(rank - 1, 1);
    if (!shape.empty()) shape.front() = static_cast<std::int64_t>(numbers.size());
    return floats(std::vector<float>(numbers.begin(), numbers.end()), shape);
  };
  if (form.images.element == "u8") x = add("Div", {cast(x, Element::f32), scalar(255.0F)});
  if (!form.normalization.mean.empty()) x = add("Sub", {x, channels(form.normalization.mean)});
  if (!form.normalization.std.empty()) x = add("Div", {x, channels(form.normalization.std)});
  return x;
}

const runtime::Tensor* Emitter::constant(ValueId value) const {
  const auto it = model_.artifact.constants.find(graph().value(value).name);
  return graph().state(value) == nullptr || it == model_.artifact.constants.end() ? nullptr : &it->second;
}

std::vector<float> Emitter::floats(ValueId value) const {
  const runtime::Tensor* tensor = constant(value);
  if (tensor == nullptr || tensor->type().dtype != DType::f32)
    throw InternalError("'" + graph().value(value).name + "' is no f32 constant");
  return {tensor->as<float>(), tensor->as<float>() + tensor->count()};
}

std::vector<std::int64_t> Emitter::integers(ValueId value) const {
  const runtime::Tensor* tensor = constant(value);
  if (tensor == nullptr || ir::is_float(tensor->type().dtype))
    throw InternalError("'" + graph().value(value).name + "' is no constant of integers");
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < tensor->count(); ++i) all.push_back(static_cast<std::int64_t>(runtime::element(tensor->view(), i)));
  return all;
}

std::vector<float> Emitter::weight_scale(ValueId sum) const {
  const auto it = model_.quantizations.weights.find(graph().value(sum).name);
  if (it == model_.quantizations.weights.end()) return {};
  return {it->second.as<float>(), it->second.as<float>() + it->second.count()};
}

std::optional<Quantization> Emitter::quantization(ValueId value) const {
  if (const auto it = quantizations_.find(value); it != quantizations_.end()) return it->second;
  const auto it = model_.quantizations.activations.find(graph().value(value).name);
  if (it == model_.quantizations.activations.end()) return std::nullopt;
  return Quantization{it->second.scale, it->second.zero_point + static_cast<std::int32_t>(shift(value))};
}

std::string Emitter::unique(const std::string& base) {
  std::string name = base;
  for (int n = 2; !used_.insert(name).second; ++n) name = fmt::format("{}_{}", base, n);
  return name;
}

std::string Emitter::initializer(Element type, const ir::Shape& shape, const std::string& raw) {
  std::string key = fmt::format("{} {} ", static_cast<int>(type), ir::to_string(shape)) + raw;
  const auto it = initializer_names_.find(key);
  if (it != initializer_names_.end()) return it->second;
  const std::string name = unique(fmt::format("constant.{}", initializers_.size()));
  initializers_.push_back(tensor(name, type, shape, raw));
  initializer_names_.emplace(std::move(key), name);
  return name;
}

std::string Emitter::floats(const std::vector<float>& values, const ir::Shape& shape) {
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return initializer(Element::f32, shape, raw);
}

std::string Emitter::integers(Element type, const std::vector<std::int64_t>& values, const ir::Shape& shape) {
  switch (type) {
    case Element::u8:
      return initializer(type, shape, raw_of<std::uint8_t>(values));
    case Element::s8:
      return initializer(type, shape, raw_of<std::int8_t>(values));
    case Element::i32:
      return initializer(type, shape, raw_of<std::int32_t>(values));
    default:
      return initializer(type, shape, raw_of<std::int64_t>(values));
  }
}

std::string Emitter::written_constant(ValueId value) {
  const runtime::Tensor& its = *constant(value);
  if (its.type().dtype == DType::s8) {
    std::vector<std::int64_t> shifted = integers(value);
    for (std::int64_t& q : shifted) q += 128;
    return integers(Element::u8, shifted, its.type().shape);
  }
  return initializer(element_of(its.type().dtype), its.type().shape, std::string(its.as<char>(), its.bytes()));
}

std::string Emitter::operator()(ValueId value) {
  if (const auto it = names_.find(value); it != names_.end()) return it->second;
  if (constant(value) != nullptr) {
    yields(value, written_constant(value));
  } else {
    emit(*graph().producer(value));
  }
  return names_.at(value);
}

std::string Emitter::add(const std::string& op, const std::vector<std::string>& inputs, const std::vector<Attribute>& attributes,
                         const std::string& name, const std::string& node_name) {
  const bool reserved = !name.empty() && reserved_.erase(name) > 0;
  const std::string output = reserved ? name : unique(name.empty() ? op : name);
  nodes_.push_back(node(node_name.empty() ? output : node_name, op, inputs, {output}, attributes));
  return output;
}

std::string Emitter::wanted(ValueId value) const {
  for (const ir::Output& output : graph().outputs()) {
    if (output.value == value && shift(value) == 0) return output.name;
  }
  return graph().value(value).name;
}

void Emitter::yields_like(ValueId value, const std::string& name, ValueId like) {
  yields(value, name);
  if (const std::optional<Quantization> its = quantization(like)) quantizations_[value] = *its;
}

void Emitter::differs(const ir::Node& node, std::string why) {
  inexact_.push_back({node.name, node.op->name, std::move(why)});
}

void Emitter::emit(const ir::Node& node) {
  operators().find(node.op->name)->emit(*this, node);
}

void Emitter::emit_outputs() {
  for (const ir::Output& output : graph().outputs()) {
    std::string name = (*this)(output.value);
    const ir::Type& type = graph().type(output.value);
    if (shift(output.value) != 0) {
      name = cast(add("Sub", {cast(name, Element::i32), scalar(Element::i32, shift(output.value))}), Element::s8);
    }
    if (name != output.name) add("Identity", {name}, {}, output.name);
    outputs_.push_back(value_info(output.name, element_of(type.dtype), type.shape));
  }
}

void Emitter::run() {
  std::vector<std::string> unknown;
  for (const ir::Node& node : graph().nodes()) {
    if (operators().find(node.op->name) == nullptr) unknown.push_back(fmt::format("'{}' ({})", node.name, node.op->name));
  }
  if (!unknown.empty()) throw Error(fmt::format("can't be written as ONNX: {}", fmt::join(unknown, ", ")));
  for (const ir::Node& node : graph().nodes()) {
    if (!operators().find(node.op->name)->on_demand && !names_.contains(node.results.front())) emit(node);
  }
  emit_outputs();
}

Message Emitter::graph_message() const {
  Message made;
  for (const Message& node : nodes_) made.message(1, node);
  made.bytes(2, graph().name);
  for (const Message& tensor : initializers_) made.message(5, tensor);
  for (std::size_t i = 0; i < graph().inputs().size(); ++i) {
    const ir::Value& value = graph().value(graph().inputs()[i]);
    const bool bytes = preprocess_ && model_.artifact.inputs[i].images.element == "u8";
    made.message(11, value_info(value.name, bytes ? Element::u8 : element_of(value.type.dtype), value.type.shape));
  }
  for (const Message& output : outputs_) made.message(12, output);
  return made;
}

}  // namespace stair::frontend::to_onnx
