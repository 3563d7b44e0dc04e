#include "frontend/importers/onnx/wire.h"

#include <fmt/format.h>

#include <bit>

#include "ir/error.h"
#include "ir/utf8.h"

namespace stair::frontend::onnx {
namespace {

constexpr std::size_t longest_text = 10'000;

// A number of 7 bits a byte, the least first. False where it doesn't end within 10 bytes or the message.
bool read_varint(std::string_view bytes, std::size_t& place, std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 70 && place < bytes.size(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes[place++]);
    value |= shift < 64 ? static_cast<std::uint64_t>(byte & 0x7F) << shift : 0;
    if (byte < 0x80) return true;
  }
  return false;
}

std::uint64_t read_fixed(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

}  // namespace

void Source::fail(std::size_t at, const std::string& message) const {
  throw Error(fmt::format("{} byte {}: {}", path, at, message));
}

void Field::expect(Wire wire) const {
  if (wire_ != wire)
    source_->fail(at, fmt::format("field {} has wire type {}, expected {}", number, static_cast<int>(wire_), static_cast<int>(wire)));
}

void Field::count(std::size_t more) const {
  source_->fields_left -= static_cast<std::int64_t>(more);
  if (source_->fields_left < 0) source_->fail(at, "has more than 4,000,000 fields and numbers of attributes, expected a smaller file");
}

std::int64_t Field::integer() const {
  expect(Wire::varint);
  return static_cast<std::int64_t>(value_);
}

float Field::real() const {
  expect(Wire::fixed32);
  return std::bit_cast<float>(static_cast<std::uint32_t>(value_));
}

std::string_view Field::bytes() const {
  expect(Wire::bytes);
  return bytes_;
}

std::string Field::text() const {
  expect(Wire::bytes);
  if (bytes_.size() > longest_text) source_->fail(at, fmt::format("a text has {} bytes, expected at most {}", bytes_.size(), longest_text));
  if (!ir::is_utf8(bytes_)) source_->fail(at, fmt::format("the text of field {} isn't UTF-8", number));
  return std::string(bytes_);
}

Message Field::message() const {
  expect(Wire::bytes);
  return {bytes_, at, *source_};
}

void Field::add_to(std::vector<std::int64_t>& list) const {
  if (wire_ == Wire::varint) return list.push_back(integer());
  expect(Wire::bytes);
  for (std::size_t place = 0; place < bytes_.size();) {
    std::uint64_t value = 0;
    if (!read_varint(bytes_, place, value)) source_->fail(at, fmt::format("field {} ends within a number", number));
    count(1);
    list.push_back(static_cast<std::int64_t>(value));
  }
}

void Field::add_to(std::vector<float>& list) const {
  if (wire_ == Wire::fixed32) return list.push_back(real());
  expect(Wire::bytes);
  if (bytes_.size() % 4 != 0) source_->fail(at, fmt::format("field {} ends within a number", number));
  count(bytes_.size() / 4);
  for (std::size_t i = 0; i < bytes_.size(); i += 4) {
    list.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(read_fixed(bytes_.substr(i, 4)))));
  }
}

void Field::add_to(std::vector<double>& list) const {
  if (wire_ == Wire::fixed64) return list.push_back(std::bit_cast<double>(value_));
  expect(Wire::bytes);
  if (bytes_.size() % 8 != 0) source_->fail(at, fmt::format("field {} ends within a number", number));
  count(bytes_.size() / 8);
  for (std::size_t i = 0; i < bytes_.size(); i += 8) list.push_back(std::bit_cast<double>(read_fixed(bytes_.substr(i, 8))));
}

bool Message::next(Field& field) {
  if (place_ == bytes_.size()) return false;
  field = Field();
  field.at = at_ + place_;
  field.source_ = &source_;
  field.count(1);
  std::uint64_t key = 0;
  if (!read_varint(bytes_, place_, key)) source_.fail(field.at, "is cut off, or no ONNX file: expected a field of a protobuf message");
  const std::uint64_t number = key >> 3;
  const auto wire = static_cast<int>(key & 7);
  if (number == 0 || number >= 1U << 29 || (wire != 0 && wire != 1 && wire != 2 && wire != 5)) {
    source_.fail(field.at,
                 fmt::format("field {} of wire type {} is none of a protobuf message: is no ONNX file, or damaged", number, wire));
  }
  field.number = static_cast<std::uint32_t>(number);
  field.wire_ = static_cast<Field::Wire>(wire);
  const std::size_t left = bytes_.size() - place_;
  if (field.wire_ == Field::Wire::varint) {
    if (!read_varint(bytes_, place_, field.value_)) source_.fail(field.at, fmt::format("field {} is cut off", number));
    return true;
  }
  std::uint64_t length = field.wire_ == Field::Wire::fixed64 ? 8 : 4;
  if (field.wire_ == Field::Wire::bytes && !read_varint(bytes_, place_, length))
    source_.fail(field.at, fmt::format("field {} is cut off", number));
  if (length > bytes_.size() - place_) {
    source_.fail(field.at, fmt::format("field {} has {} bytes, of which {} are there: is cut off, or no ONNX file", number, length, left));
  }
  field.bytes_ = bytes_.substr(place_, static_cast<std::size_t>(length));
  if (field.wire_ == Field::Wire::bytes) {
    field.at = at_ + place_;
  } else {
    field.value_ = read_fixed(field.bytes_);
  }
  place_ += static_cast<std::size_t>(length);
  return true;
}

}  // namespace stair::frontend::onnx
