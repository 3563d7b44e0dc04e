#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/type.h"

namespace stair::frontend::onnx {

/// The element types of the format by its numbers (TensorProto.DataType). Others than these are no tensors of a model.
enum class ElementType : std::int32_t {
  none = 0,
  f32 = 1,
  u8 = 2,
  s8 = 3,
  u16 = 4,
  s16 = 5,
  i32 = 6,
  i64 = 7,
  text = 8,
  boolean = 9,
  f16 = 10,
  f64 = 11,
  u32 = 12,
  u64 = 13,
  bf16 = 16,
  u4 = 21,
  s4 = 22
};
/// "float", "int64", as the format calls them; "type 17" for one that isn't among these.
std::string to_string(ElementType type);
/// f32, f16, bf16 or f64.
bool is_real(ElementType type);

/// A tensor as it lies in the file: its elements are looked at only where they are asked for (constant.h).
struct Tensor {
  std::string name;
  ElementType type = ElementType::none;
  ir::Shape shape;                     ///< checked: each dimension from 0 on, at most 2^31 - 1 elements
  std::string_view raw;                ///< little-endian, as many bytes as the shape takes; or
  std::vector<std::int64_t> integers;  ///< int32_data, int64_data or uint64_data: an element each, of f16 and bf16 their bits; or
  std::vector<float> floats;
  std::vector<double> doubles;
};

struct Attribute {
  std::string name;
  std::int32_t type = 0;  ///< AttributeProto.AttributeType
  std::int64_t integer = 0;
  float real = 0;
  std::string text;
  Tensor tensor;
  std::vector<std::int64_t> integers;
  std::vector<float> reals;
};

struct Node {
  std::string name, op, domain;
  std::vector<std::string> inputs, outputs;  ///< "": none
  std::map<std::string, Attribute, std::less<>> attributes;
};

/// A dimension of an input or output: a number, or a name or nothing where it is free.
struct Dimension {
  std::optional<std::int64_t> size;
  std::string parameter;
};

struct ValueInfo {
  std::string name;
  ElementType type = ElementType::none;  ///< none: it is no tensor, or the file doesn't say
  std::optional<std::vector<Dimension>> shape;
};

/// An ONNX model, with what its tensors point into.
struct Model {
  std::string path;
  std::map<std::string, std::int64_t, std::less<>> opsets;  ///< by domain; "" is that of ONNX itself
  std::string name;
  std::vector<Node> nodes;
  std::map<std::string, Tensor, std::less<>> initializers;
  std::vector<ValueInfo> inputs, outputs;
  std::map<std::string, std::string> metadata;
  std::list<std::string> bytes;  ///< of the file, and of those that hold external data
};

/// Reads an ONNX file (https://onnx.ai/onnx/repo-docs/IR.html), and the files beside it that hold its external data. Error naming the byte
/// or the tensor for what is no such file or isn't consistent; whether operators can be had, it doesn't ask.
Model read_model(std::string bytes, const std::string& path);

/// A TensorProto, as files of test data hold them. `bytes` must outlive it.
Tensor read_tensor(std::string_view bytes, const std::string& path);

}  // namespace stair::frontend::onnx
