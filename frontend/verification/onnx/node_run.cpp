#include <fmt/format.h>

#include <utility>

#include "frontend/verification/onnx/operator.h"
#include "ir/error.h"

namespace stair::verification::onnx {

NodeRun::NodeRun(const frontend::onnx::Node& of, std::int64_t its_opset, std::vector<std::shared_ptr<const Value>> inputs, Sums& all_sums)
    : node(of), opset(its_opset), sums(all_sums), results(of.outputs.size()), inputs_(std::move(inputs)) {}

const Value& NodeRun::in(std::size_t i) const {
  if (!has(i)) fail(fmt::format("its input {} is missing", i));
  return *inputs_[i];
}

const std::vector<std::int64_t>& NodeRun::list(std::size_t i) const {
  const Value& value = in(i);
  expect(!value.is_real() && value.shape.size() <= 1, fmt::format("its input {} isn't a list of integers", i));
  return value.integers;
}

std::int64_t NodeRun::integer(std::size_t i) const {
  const Value& value = in(i);
  expect(!value.is_real() && value.count() == 1, fmt::format("its input {} isn't one integer", i));
  return value.integers.front();
}

float NodeRun::real(std::size_t i) const {
  const Value& value = in(i);
  expect(value.is_real() && value.count() == 1, fmt::format("its input {} isn't one real number", i));
  return static_cast<float>(value.number(0));
}

const frontend::onnx::Attribute* NodeRun::attribute(const char* name, std::int32_t type) {
  read_.insert(name);
  const auto it = node.attributes.find(name);
  if (it == node.attributes.end()) return nullptr;
  expect(it->second.type == type || it->second.type == 0, fmt::format("its attribute '{}' is of another type", name));
  return &it->second;
}

std::int64_t NodeRun::integer(const char* name, std::int64_t fallback) {
  const frontend::onnx::Attribute* found = attribute(name, 2);
  return found == nullptr ? fallback : found->integer;
}

std::vector<std::int64_t> NodeRun::integers(const char* name, const std::vector<std::int64_t>& fallback) {
  const frontend::onnx::Attribute* found = attribute(name, 7);
  return found == nullptr ? fallback : found->integers;
}

double NodeRun::real(const char* name, double fallback) {
  const frontend::onnx::Attribute* found = attribute(name, 1);
  return found == nullptr ? fallback : static_cast<double>(found->real);
}

std::string NodeRun::text(const char* name, const char* fallback) {
  const frontend::onnx::Attribute* found = attribute(name, 3);
  return found == nullptr ? fallback : found->text;
}

void NodeRun::check_attributes_read() const {
  for (const auto& [name, value] : node.attributes) expect(read_.contains(name), fmt::format("its attribute '{}' isn't known", name));
}

std::size_t NodeRun::axis(std::int64_t axis, std::size_t rank) const {
  const auto dimensions = static_cast<std::int64_t>(rank);
  expect(axis >= -dimensions && axis < dimensions, fmt::format("its axis is {}, of {} dimensions", axis, dimensions));
  return static_cast<std::size_t>(axis < 0 ? axis + dimensions : axis);
}

void NodeRun::yield(Value value, std::size_t output) {
  if (output < results.size()) results[output] = std::move(value);
}

std::string NodeRun::name() const {
  if (!node.name.empty()) return node.name;
  for (const std::string& output : node.outputs) {
    if (!output.empty()) return output;
  }
  return {};
}

std::string NodeRun::place() const {
  return fmt::format("node '{}' ({}, {}opset {})", name(), node.op, node.domain.empty() ? "" : "domain '" + node.domain + "', ", opset);
}

void NodeRun::fail(const std::string& message) const {
  throw Error(message);
}

}  // namespace stair::verification::onnx
