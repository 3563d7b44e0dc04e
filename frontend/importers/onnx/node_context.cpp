#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "frontend/importers/onnx/operator.h"
#include "ir/error.h"

namespace stair::frontend::onnx {
namespace {

constexpr std::size_t longest_layer_name = 400;  // leaves room for suffixes
constexpr std::int64_t most_constant = 65'536;   // elements of a layer `constant`

enum AttributeType : std::int32_t { of_float = 1, of_int = 2, of_string = 3, of_tensor = 4, of_floats = 6, of_ints = 7 };

// What the model JSON takes as a name.
std::string valid_name(std::string name) {
  while (name.starts_with("$")) name.erase(name.begin());
  if (name.size() > longest_layer_name) {
    std::size_t end = longest_layer_name;
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // not within a character
    name.resize(end);
  }
  return name;
}

}  // namespace

NodeContext::NodeContext(const Node& of, std::int64_t opset_version, Layers& made, std::vector<std::optional<Value>> inputs,
                         std::int64_t lead_dimensions, std::int64_t batch_size)
    : node(of),
      opset(opset_version),
      layers(made),
      lead(lead_dimensions),
      batch(batch_size),
      results(of.outputs.size()),
      inputs_(std::move(inputs)) {}

const Value& NodeContext::input(std::size_t i) const {
  if (!has(i)) fail(fmt::format("its input {} is missing", i));
  return *inputs_[i];
}

const Constant& NodeContext::constant(std::size_t i, const char* what) const {
  if (!input(i).constant)
    fail(fmt::format("its input '{}' ({}) is computed from the model's input, expected a constant", node.inputs[i], what));
  return *input(i).constant;
}

std::vector<std::int64_t> NodeContext::integers(std::size_t i, const char* what) const {
  const Constant& given = constant(i, what);
  if (given.is_real()) fail(fmt::format("its input '{}' ({}) is of {}, expected integers", node.inputs[i], what, to_string(given.type)));
  if (given.shape.size() > 1)
    fail(fmt::format("its input '{}' ({}) is {}, expected a list", node.inputs[i], what, ir::to_string(given.shape)));
  return given.integers;
}

Value NodeContext::floats(std::size_t i) {
  const Value& value = input(i);
  if (!is_real(value.type)) fail(fmt::format("its input '{}' is of {}, expected float", node.inputs[i], to_string(value.type)));
  return value.constant ? emit_constant(*value.constant) : value;
}

const Attribute* NodeContext::attribute(const char* name, std::int32_t type, const char* kind) {
  read_.insert(name);
  const auto it = node.attributes.find(name);
  if (it == node.attributes.end()) return nullptr;
  // Old writers leave the type out.
  if (it->second.type != type && it->second.type != 0) fail(fmt::format("its attribute '{}' isn't {}", name, kind));
  return &it->second;
}

bool NodeContext::has_attribute(const char* name) {
  read_.insert(name);
  return node.attributes.contains(name);
}

std::int64_t NodeContext::integer(const char* name, std::int64_t fallback) {
  const Attribute* found = attribute(name, of_int, "an integer");
  return found == nullptr ? fallback : found->integer;
}

double NodeContext::real(const char* name, double fallback) {
  const Attribute* found = attribute(name, of_float, "a float");
  if (found == nullptr) return fallback;
  if (!std::isfinite(found->real)) fail(fmt::format("its attribute '{}' is {}, expected a finite number", name, found->real));
  return shortest(found->real);
}

std::string NodeContext::text(const char* name, const char* fallback) {
  const Attribute* found = attribute(name, of_string, "a text");
  return found == nullptr ? fallback : found->text;
}

std::vector<std::int64_t> NodeContext::integer_list(const char* name, const std::vector<std::int64_t>& fallback) {
  const Attribute* found = attribute(name, of_ints, "a list of integers");
  return found == nullptr ? fallback : found->integers;
}

Constant NodeContext::tensor(const char* name) {
  const Attribute* found = attribute(name, of_tensor, "a tensor");
  if (found == nullptr) fail(fmt::format("its attribute '{}' is missing", name));
  return decode(found->tensor);
}

void NodeContext::ignore(std::initializer_list<const char*> names) {
  read_.insert(names.begin(), names.end());
}

std::optional<std::vector<std::int64_t>> NodeContext::list_until(std::int64_t opset_of_input, const char* name, std::size_t i) {
  if (opset < opset_of_input) return has_attribute(name) ? std::optional(integer_list(name)) : std::nullopt;
  return has(i) ? std::optional(integers(i, name)) : std::nullopt;
}

void NodeContext::check_attributes_read() const {
  for (const auto& [name, value] : node.attributes) {
    if (!read_.contains(name))
      fail(fmt::format("its attribute '{}' is unknown, or can't be had{}", name, did_you_mean(name, {read_.begin(), read_.end()})));
  }
}

std::int64_t NodeContext::axis(std::int64_t axis, std::size_t rank) const {
  const auto dimensions = static_cast<std::int64_t>(rank);
  if (axis < -dimensions || axis >= dimensions) fail(fmt::format("its axis is {}, of {} dimensions", axis, dimensions));
  return axis < 0 ? axis + dimensions : axis;
}

std::vector<std::int64_t> NodeContext::layer_axes(std::vector<std::int64_t> of_file) const {
  for (std::int64_t& each : of_file) each += lead;
  return of_file;
}

ir::Shape NodeContext::layer_shape(const ir::Shape& of_file) const {
  ir::Shape shape = of_file;
  shape.insert(shape.begin(), static_cast<std::size_t>(lead), 1);
  return shape;
}

std::string NodeContext::unused(const std::string& suffix) const {
  std::string base = valid_name(node.name);
  for (const std::string& output : node.outputs) {
    if (base.empty()) base = valid_name(output);
  }
  if (base.empty()) base = valid_name(node.op);
  if (base.empty()) base = "layer";
  return layers.unused(suffix.empty() ? base : base + "_" + suffix);
}

Value NodeContext::emit(const std::string& op, const std::vector<Value>& of, ir::Attributes attributes, Parameters parameters,
                        const std::string& suffix) {
  Layer layer;
  layer.op = op;
  layer.name = unused(suffix);
  for (const Value& value : of) layer.inputs.push_back(value.layer);
  layer.attributes = std::move(attributes);
  layer.parameters = std::move(parameters);
  if (!layer.parameters.empty() && node.inputs.size() > 1) layer.weights_of = node.inputs[1];
  if (layer.parameters.contains("bias") && node.inputs.size() > 2) layer.bias_of = node.inputs[2];
  layer.node = place();
  layers.infer(layer);
  Value result;
  result.layer = layer.name;
  result.shape = ir::Shape(layer.shape.begin() + static_cast<std::ptrdiff_t>(lead), layer.shape.end());
  layers.add(std::move(layer));
  return result;
}

Value NodeContext::emit_constant(Constant constant, const std::string& suffix) {
  if (constant.count() > most_constant)
    fail(fmt::format("a constant {} is an operand, expected at most {} elements", ir::to_string(constant.shape), most_constant));
  if (constant.count() == 0) fail(fmt::format("a constant {} is an operand, expected elements", ir::to_string(constant.shape)));
  Layer layer;
  layer.op = "constant";
  layer.name = unused(suffix);
  const ir::Shape of_file = constant.shape;
  layer.shape = of_file.empty() ? ir::Shape{1} : of_file;
  std::vector<double> numbers;
  for (std::int64_t i = 0; i < constant.count(); ++i) {
    numbers.push_back(constant.number(i));
    if (std::isfinite(numbers.back())) numbers.back() = shortest(numbers.back());
    if (!std::isfinite(numbers.back())) fail(fmt::format("a constant holds {}, expected finite numbers", numbers.back()));
  }
  const bool is_one = std::all_of(numbers.begin(), numbers.end(), [&](double number) { return number == numbers.front(); });
  layer.attributes.set("shape", layer.shape);
  layer.attributes.set(is_one ? "value" : "values", is_one ? ir::Attribute(numbers.front()) : ir::Attribute(std::move(numbers)));
  layer.constant = std::make_shared<const Constant>(std::move(constant));
  layer.node = place();
  Value result;
  result.layer = layer.name;
  result.shape = of_file;
  layers.add(std::move(layer));
  return result;
}

Value NodeContext::emit_number(double number, const std::string& suffix) {
  Constant constant = zeros(ElementType::f32, {});
  constant.set(0, number);
  return emit_constant(std::move(constant), suffix);
}

Value NodeContext::emit_reshape(const Value& value, const ir::Shape& shape, const std::string& suffix) {
  if (value.shape == shape) return value;
  ir::Shape target = layer_shape(shape);
  if (lead == 1) {
    target.front() = 0;
  } else if (!target.empty() && target.front() == batch && !value.shape.empty() && value.shape.front() == batch) {
    target.front() = 0;
  } else {
    // The examples are part of another dimension: that follows from the others.
    const auto holds_batch = [&](std::int64_t dimension) { return batch > 1 && dimension % batch == 0; };
    const auto it = std::find_if(target.begin(), target.end(), holds_batch);
    if (it != target.end()) *it = -1;
  }
  if (target.size() == 2 && target.front() == 0 && value.shape.size() + static_cast<std::size_t>(lead) > 2)
    return emit("flatten", {value}, {}, {}, suffix);
  return emit("reshape", {value}, {{"shape", std::move(target)}}, {}, suffix);
}

void NodeContext::yield(Value value, std::size_t output) {
  if (output < results.size()) results[output] = std::move(value);
}

void NodeContext::yield(Constant constant, std::size_t output) {
  Value value;
  value.shape = constant.shape;
  value.type = constant.type;
  value.constant = std::make_shared<const Constant>(std::move(constant));
  yield(std::move(value), output);
}

std::string NodeContext::place() const {
  std::string name = node.name;
  for (const std::string& output : node.outputs) {
    if (name.empty()) name = output;
  }
  return fmt::format("node '{}' ({}, {}opset {})", name, node.op, node.domain.empty() ? "" : "domain '" + node.domain + "', ", opset);
}

void NodeContext::fail(const std::string& message) const {
  throw Error(message);
}

}  // namespace stair::frontend::onnx
