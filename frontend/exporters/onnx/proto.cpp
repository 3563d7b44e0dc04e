#include "frontend/exporters/onnx/proto.h"

#include <bit>
#include <cstddef>
#include <utility>

namespace stair::frontend::to_onnx {
namespace {

// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
namespace in_tensor {
constexpr int dims = 1, data_type = 2, name = 8, raw_data = 9;
}
namespace in_node {
constexpr int input = 1, output = 2, name = 3, op_type = 4, attribute = 5;
}
namespace in_attribute {
constexpr int name = 1, f = 2, i = 3, s = 4, ints = 8, type = 20;
constexpr std::int64_t is_float = 1, is_int = 2, is_string = 3, is_ints = 7;
}  // namespace in_attribute

void varint(std::string& text, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text.push_back(static_cast<char>(value | 0x80));
  text.push_back(static_cast<char>(value));
}

void fixed32(std::string& text, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  for (unsigned shift = 0; shift < 32; shift += 8) text.push_back(static_cast<char>(bits >> shift));
}

}  // namespace

void Message::key(int field, unsigned wire) {
  varint(text_, static_cast<std::uint64_t>(field) << 3 | wire);
}

void Message::integer(int field, std::int64_t value) {
  key(field, 0);
  varint(text_, static_cast<std::uint64_t>(value));
}

void Message::real(int field, float value) {
  key(field, 5);
  fixed32(text_, value);
}

void Message::bytes(int field, std::string_view value) {
  key(field, 2);
  varint(text_, value.size());
  text_ += value;
}

void Message::integers(int field, const std::vector<std::int64_t>& values) {
  std::string packed;
  for (const std::int64_t value : values) varint(packed, static_cast<std::uint64_t>(value));
  bytes(field, packed);
}

Message tensor(const std::string& name, Element type, const ir::Shape& shape, std::string_view raw) {
  Message made;
  if (!shape.empty()) made.integers(in_tensor::dims, shape);
  made.integer(in_tensor::data_type, static_cast<std::int64_t>(type));
  made.bytes(in_tensor::name, name);
  made.bytes(in_tensor::raw_data, raw);
  return made;
}

Message value_info(const std::string& name, Element type, const ir::Shape& shape) {
  Message dims;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    Message dim;
    if (i == 0) {
      dim.bytes(2, "N");
    } else {
      dim.integer(1, shape[i]);
    }
    dims.message(1, dim);
  }
  Message of_tensor;
  of_tensor.integer(1, static_cast<std::int64_t>(type));
  of_tensor.message(2, dims);
  Message type_of;
  type_of.message(1, of_tensor);
  Message made;
  made.bytes(1, name);
  made.message(2, type_of);
  return made;
}

Attribute integer(std::string name, std::int64_t value) {
  return {.name = std::move(name), .kind = Attribute::Kind::integer, .integer = value};
}
Attribute real(std::string name, float value) {
  return {.name = std::move(name), .kind = Attribute::Kind::real, .real = value};
}
Attribute text(std::string name, std::string value) {
  return {.name = std::move(name), .kind = Attribute::Kind::text, .text = std::move(value)};
}
Attribute integers(std::string name, std::vector<std::int64_t> values) {
  return {.name = std::move(name), .kind = Attribute::Kind::integers, .integers = std::move(values)};
}

Message node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
             const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes) {
  Message made;
  for (const std::string& input : inputs) made.bytes(in_node::input, input);
  for (const std::string& output : outputs) made.bytes(in_node::output, output);
  made.bytes(in_node::name, name);
  made.bytes(in_node::op_type, op);
  for (const Attribute& attribute : attributes) {
    Message its;
    its.bytes(in_attribute::name, attribute.name);
    switch (attribute.kind) {
      case Attribute::Kind::integer:
        its.integer(in_attribute::i, attribute.integer);
        its.integer(in_attribute::type, in_attribute::is_int);
        break;
      case Attribute::Kind::real:
        its.real(in_attribute::f, attribute.real);
        its.integer(in_attribute::type, in_attribute::is_float);
        break;
      case Attribute::Kind::text:
        its.bytes(in_attribute::s, attribute.text);
        its.integer(in_attribute::type, in_attribute::is_string);
        break;
      case Attribute::Kind::integers:
        for (const std::int64_t value : attribute.integers) its.integer(in_attribute::ints, value);
        its.integer(in_attribute::type, in_attribute::is_ints);
        break;
    }
    made.message(in_node::attribute, its);
  }
  return made;
}

}  // namespace stair::frontend::to_onnx
