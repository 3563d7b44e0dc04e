#include "runtime/safetensors.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "ir/error.h"
#include "ir/json_object.h"

namespace stair::runtime {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::pair<ir::DType, const char*>, 6> dtype_names{{{ir::DType::f32, "F32"},
                                                                        {ir::DType::f64, "F64"},
                                                                        {ir::DType::s8, "I8"},
                                                                        {ir::DType::u8, "U8"},
                                                                        {ir::DType::i32, "I32"},
                                                                        {ir::DType::i64, "I64"}}};

constexpr std::uint64_t largest_header = 100'000'000;  // as the format's own library has it
constexpr std::size_t longest_name = 1000;

constexpr std::string_view checksum_key = "\"crc32\":\"";
constexpr std::string_view no_checksum = "00000000";

// Where the digits of the checksum stand in the file, or npos. Quotes inside of JSON strings are escaped, so that the key is found only
// where it is one.
std::size_t checksum_place(std::string_view header) {
  const std::size_t at = header.find(checksum_key);
  if (at == std::string_view::npos || header.size() < at + checksum_key.size() + no_checksum.size()) return std::string_view::npos;
  return 8 + at + checksum_key.size();
}

// CRC-32 of the file with zeros in the place of the digits themselves.
std::string checksum(std::string_view file, std::size_t place) {
  uLong crc = crc32(0, nullptr, 0);
  const auto add = [&](std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t piece = std::min<std::size_t>(bytes.size(), 1U << 30);
      crc = crc32(crc, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(piece));
      bytes.remove_prefix(piece);
    }
  };
  add(file.substr(0, place));
  add(no_checksum);
  add(file.substr(place + no_checksum.size()));
  return fmt::format("{:08x}", crc);
}

class Reader {
 public:
  Reader(const std::string& bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  Safetensors run(const std::string& format, int oldest, int version) {
    read_header();
    read_metadata(format, oldest, version);
    std::size_t expected = 0;
    for (const auto& [name, entry] : header_.items()) {
      if (name != "__metadata__") expected = read_tensor(name, entry, expected);
    }
    if (expected != data_bytes_) fail(fmt::format("has {} bytes behind its tensors, expected none", data_bytes_ - expected));
    const std::string found = checksum(bytes_, checksum_place_);
    if (contents_.metadata["crc32"] != found) {
      fail(fmt::format("is damaged: its checksum is {}, expected {}", found, contents_.metadata["crc32"]));
    }
    return std::move(contents_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(path_ + ": " + message); }

  void read_header() {
    std::uint64_t length = 0;
    if (bytes_.size() >= 8) std::memcpy(&length, bytes_.data(), 8);
    if (bytes_.size() < 8 || length > bytes_.size() - 8)
      fail("is truncated, or no safetensors file: its header doesn't fit into it (byte 0)");
    if (length > largest_header) fail(fmt::format("has a header of {} bytes, expected at most {}", length, largest_header));
    try {
      header_ = ir::parse_json(std::string_view(bytes_).substr(8, static_cast<std::size_t>(length)), "its header");
    } catch (const Error& error) {
      fail(std::string("is no safetensors file: ") + error.what());
    }
    if (!header_.is_object()) fail("is no safetensors file: its header is no JSON object (byte 8)");
    checksum_place_ = checksum_place(std::string_view(bytes_).substr(8, static_cast<std::size_t>(length)));
    data_ = bytes_.data() + 8 + length;
    data_bytes_ = bytes_.size() - 8 - static_cast<std::size_t>(length);
  }

  void read_metadata(const std::string& format, int oldest, int version) {
    const ordered_json metadata = header_.value("__metadata__", ordered_json::object());
    for (const auto& [key, value] : metadata.items()) {
      if (value.is_string()) contents_.metadata[key] = value.get<std::string>();
    }
    const std::string its_format = contents_.metadata["format"];
    if (its_format != format) {
      fail(its_format.empty() ? "is a safetensors file of another program, expected a " + format
                              : "is a " + its_format + ", expected a " + format);
    }
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) fail(fmt::format("'{}' in its metadata is {}, expected a text", key, ir::shown(value)));
    }
    const std::string its_version = contents_.metadata["version"];
    int known = oldest;
    while (known <= version && std::to_string(known) != its_version) ++known;
    if (known > version) {
      fail(fmt::format("is a {} of version {}, this program reads version{} {}", format, its_version.empty() ? "?" : its_version,
                       oldest == version ? "" : fmt::format("s {} to", oldest), version));
    }
    if (checksum_place_ == std::string_view::npos) fail("has no checksum in its metadata");
  }

  std::size_t read_tensor(const std::string& name, const ordered_json& entry, std::size_t expected) {
    if (name.size() > longest_name)
      fail(fmt::format("has a tensor with a name of {} bytes, expected at most {}", name.size(), longest_name));
    ir::Type type;
    bool known = false;
    const auto number = [](const ordered_json& j) { return j.is_number_integer() && j.get<std::int64_t>() >= 0; };
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") || !entry.contains("data_offsets") ||
        !entry["shape"].is_array() || !entry["data_offsets"].is_array() || entry["data_offsets"].size() != 2 ||
        !number(entry["data_offsets"][0]) || !number(entry["data_offsets"][1])) {
      fail("tensor '" + name + "': its entry in the header isn't that of a tensor");
    }
    for (const auto& [dtype, text] : dtype_names) {
      if (entry["dtype"] == text) {
        type.dtype = dtype;
        known = true;
      }
    }
    if (!known) fail("tensor '" + name + "' has the element type " + entry["dtype"].dump() + ", expected F32, F64, I8, U8, I32 or I64");
    if (entry["shape"].size() > highest_rank) {
      fail(fmt::format("tensor '{}' has {} dimensions, expected at most {}", name, entry["shape"].size(), highest_rank));
    }
    std::size_t bytes = ir::size_of(type.dtype);
    for (const ordered_json& dim : entry["shape"]) {
      if (!number(dim) || dim.get<std::size_t>() > data_bytes_) fail("tensor '" + name + "' has the shape " + entry["shape"].dump());
      type.shape.push_back(dim.get<std::int64_t>());
      bytes *= dim.get<std::size_t>();
      if (bytes > data_bytes_) fail("tensor '" + name + "' is larger than the file");
    }
    const auto begin = entry["data_offsets"][0].get<std::size_t>();
    const auto end = entry["data_offsets"][1].get<std::size_t>();
    if (begin != expected || end < begin || end > data_bytes_ || end - begin != bytes) {
      fail(fmt::format("tensor '{}' lies at bytes {} to {} of {}, expected {} bytes from {} on", name, begin, end, data_bytes_, bytes,
                       expected));
    }
    Tensor tensor(std::move(type));
    std::memcpy(tensor.view().data, data_ + begin, bytes);
    contents_.tensors.emplace(name, std::move(tensor));
    return end;
  }

  const std::string& bytes_;
  const std::string& path_;
  ordered_json header_;
  std::size_t checksum_place_ = 0;
  const char* data_ = nullptr;
  std::size_t data_bytes_ = 0;
  Safetensors contents_;
};

}  // namespace

std::string to_safetensors(const Safetensors& contents, const std::string& format, int version) {
  std::string data;
  ordered_json entries = ordered_json::object();
  for (const auto& [name, tensor] : contents.tensors) {
    const char* dtype = nullptr;
    for (const auto& [known, text] : dtype_names) {
      if (known == tensor.type().dtype) dtype = text;
    }
    entries[name] = {{"dtype", dtype}, {"shape", tensor.type().shape}, {"data_offsets", {data.size(), data.size() + tensor.bytes()}}};
    data.append(tensor.as<const char>(), tensor.bytes());
  }
  ordered_json metadata = {{"format", format}, {"version", std::to_string(version)}, {"crc32", no_checksum}};
  for (const auto& [key, value] : contents.metadata) metadata[key] = value;
  ordered_json header = {{"__metadata__", metadata}};
  header.update(entries);
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  bytes += text;
  bytes += data;
  const std::size_t place = checksum_place(text);
  bytes.replace(place, no_checksum.size(), checksum(bytes, place));
  return bytes;
}

Safetensors from_safetensors(const std::string& bytes, const std::string& path, const std::string& format, int version, int oldest) {
  return Reader(bytes, path).run(format, oldest > 0 ? oldest : version, version);
}

std::string format_of(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() >= 8) std::memcpy(&length, bytes.data(), 8);
  if (bytes.size() < 8 || length > bytes.size() - 8 || length > largest_header) return "";
  ordered_json header;
  try {
    header = ir::parse_json(std::string_view(bytes).substr(8, static_cast<std::size_t>(length)), "");
  } catch (const Error&) {
    return "";
  }
  const auto metadata = header.is_object() ? header.find("__metadata__") : header.end();
  if (metadata == header.end() || !metadata->is_object()) return "";
  const auto format = metadata->find("format");
  return format != metadata->end() && format->is_string() ? format->get<std::string>() : "";
}

std::string image_elements(const std::map<std::string, std::string>& metadata, const std::string& path) {
  const auto it = metadata.find("images");
  if (it == metadata.end()) return "";
  if (it->second != "u8" && it->second != "f32" && it->second != "i32")
    throw Error(path + ": 'images' in its metadata is '" + it->second + "', expected u8, f32 or i32");
  return it->second;
}

}  // namespace stair::runtime
