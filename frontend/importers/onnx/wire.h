#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stair::frontend::onnx {

/// A file that messages are read from. What its fields become takes more memory than they do in the file, so there may be only so many.
struct Source {
  std::string path;
  std::int64_t fields_left = 4'000'000;

  /// Error "PATH byte AT: MESSAGE".
  [[noreturn]] void fail(std::size_t at, const std::string& message) const;
};

class Message;

/// A field of a message, where it lies. What it holds is asked for by type; Error where it is of another, since writer and reader then
/// mean different schemas.
class Field {
 public:
  std::uint32_t number = 0;
  std::size_t at = 0;  ///< byte of the file

  std::int64_t integer() const;
  float real() const;
  std::string_view bytes() const;
  /// Error unless it is UTF-8 of at most 10,000 bytes.
  std::string text() const;
  Message message() const;
  /// Adds the elements of a repeated field, packed or one of them.
  void add_to(std::vector<std::int64_t>& list) const;
  void add_to(std::vector<float>& list) const;
  void add_to(std::vector<double>& list) const;

 private:
  friend class Message;
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
  void expect(Wire wire) const;
  void count(std::size_t more) const;

  Wire wire_ = Wire::varint;
  std::uint64_t value_ = 0;
  std::string_view bytes_;
  Source* source_ = nullptr;
};

/// A message of protobuf's wire format (https://protobuf.dev/programming-guides/encoding), read field by field. Nothing is copied, and
/// nothing that the bytes claim is believed: Error naming the byte for what is cut off, malformed or too much.
class Message {
 public:
  Message(std::string_view bytes, std::size_t at, Source& source) : bytes_(bytes), at_(at), source_(source) {}
  /// The next field; false at the end.
  bool next(Field& field);

 private:
  std::string_view bytes_;
  std::size_t at_;  // byte of the file at which the message begins
  std::size_t place_ = 0;
  Source& source_;
};

}  // namespace stair::frontend::onnx
