#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ir/type.h"

namespace stair::frontend::to_onnx {

/// A message in protobuf's wire format (https://protobuf.dev/programming-guides/encoding), field by field.
class Message {
 public:
  void integer(int field, std::int64_t value);
  void real(int field, float value);
  void bytes(int field, std::string_view value);
  void message(int field, const Message& value) { bytes(field, value.text()); }
  void integers(int field, const std::vector<std::int64_t>& values);  ///< packed
  const std::string& text() const { return text_; }

 private:
  void key(int field, unsigned wire);
  std::string text_;
};

/// Element types by the format's numbers (TensorProto.DataType).
enum class Element : std::int32_t { f32 = 1, u8 = 2, s8 = 3, i32 = 6, i64 = 7, f64 = 11 };

/// A TensorProto with these bytes, little-endian.
Message tensor(const std::string& name, Element type, const ir::Shape& shape, std::string_view raw);
/// A ValueInfoProto of a tensor whose first dimension is free and is called "N".
Message value_info(const std::string& name, Element type, const ir::Shape& shape);

/// An attribute of a node.
struct Attribute {
  enum class Kind : std::uint8_t { integer, real, text, integers };
  std::string name;
  Kind kind = Kind::integer;
  std::int64_t integer = 0;
  float real = 0;
  std::string text = {};
  std::vector<std::int64_t> integers = {};
};
Attribute integer(std::string name, std::int64_t value);
Attribute real(std::string name, float value);
Attribute text(std::string name, std::string value);
Attribute integers(std::string name, std::vector<std::int64_t> values);

/// A NodeProto.
Message node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs,
             const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes);

}  // namespace stair::frontend::to_onnx
