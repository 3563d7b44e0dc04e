#include "runtime/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "ir/error.h"
#include "runtime/dataset.h"
#include "runtime/file.h"
#include "runtime/gzip.h"

namespace stair::runtime {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t longest_header = 1'000'000;
constexpr std::uint64_t largest_announced = std::uint64_t{1} << 62;

struct Kind {
  std::string_view descr;
  ir::DType dtype;
  std::size_t bytes;  // of an element in the file
};
constexpr Kind kinds[] = {{"<f4", ir::DType::f32, 4}, {"<f8", ir::DType::f64, 8}, {"|i1", ir::DType::s8, 1},
                          {"|u1", ir::DType::u8, 1},  {"<i4", ir::DType::i32, 4}, {"<i8", ir::DType::i64, 8},
                          {"<i2", ir::DType::i32, 2}, {"<u2", ir::DType::i32, 2}, {"<u4", ir::DType::i64, 4}};

// The text behind 'KEY': in the header's dictionary, up to the next key.
std::string_view entry(std::string_view header, std::string_view key) {
  const std::size_t at = header.find("'" + std::string(key) + "'");
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 2);
  rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of(": ")));
  return rest;
}

template <class From, class To>
void widen(const char* from, To* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    From value;
    std::memcpy(&value, from + static_cast<std::size_t>(i) * sizeof(From), sizeof(From));
    to[i] = static_cast<To>(value);
  }
}

struct NpyHeader {
  Kind kind;
  std::size_t begin = 0;    // of the elements
  ir::Shape shape;          // 0 where a dimension is none
  std::string dims;         // as the header has it
  std::uint64_t bytes = 0;  // of all elements; at most 2^62
};

NpyHeader npy_header(const std::string& bytes, const std::string& path) {
  if (bytes.size() < 12 || !std::string_view(bytes).starts_with(magic))
    throw Error(path + ": is no .npy file: its first 6 bytes aren't \\x93NUMPY");
  const auto byte = [&](std::size_t i) { return static_cast<std::size_t>(static_cast<unsigned char>(bytes[i])); };
  const std::size_t prefix = byte(6) == 1 ? 10 : 12;
  const std::size_t length = byte(8) | byte(9) << 8 | (prefix == 12 ? byte(10) << 16 | byte(11) << 24 : 0);
  if (byte(6) < 1 || byte(6) > 3) throw Error(fmt::format("{}: is a .npy file of version {}, expected 1 to 3", path, byte(6)));
  if (length > longest_header) {
    throw Error(fmt::format("{}: has a header of {} bytes, expected at most {}", path, length, longest_header));
  }
  if (bytes.size() < prefix + length) throw Error(path + ": is truncated: its header doesn't fit into it");
  const std::string_view header = std::string_view(bytes).substr(prefix, length);
  const std::string_view descr = entry(header, "descr");
  const Kind* kind = nullptr;
  for (const Kind& known : kinds) {
    if (descr.size() > 4 && descr.substr(1, 3) == known.descr) kind = &known;
  }
  if (kind == nullptr) {
    throw Error(fmt::format("{}: has elements of the type {}, expected '<f4', '<f8', '|i1', '|u1', '<i2', '<u2', '<i4', '<u4' or '<i8'",
                            path, descr.substr(0, descr.find(','))));
  }
  if (!entry(header, "fortran_order").starts_with("False")) throw Error(path + ": is in Fortran order, expected C order");
  std::string_view dims = entry(header, "shape");
  dims = dims.substr(0, dims.find(')'));
  NpyHeader read{*kind, prefix + length, {}, std::string(dims), kind->bytes};
  for (std::size_t i = 0; i < dims.size();) {
    if (dims[i] < '0' || dims[i] > '9') {
      ++i;
      continue;
    }
    std::int64_t dim = 0;
    i = static_cast<std::size_t>(std::from_chars(dims.data() + i, dims.data() + dims.size(), dim).ptr - dims.data());
    read.shape.push_back(dim);
    const auto size = static_cast<std::uint64_t>(dim);
    read.bytes = size != 0 && read.bytes > largest_announced / size ? largest_announced : read.bytes * size;
  }
  if (read.shape.size() > highest_rank) {
    throw Error(fmt::format("{}: has {} dimensions, expected at most {}", path, read.shape.size(), highest_rank));
  }
  return read;
}

// How many elements it announces. Error unless so many bytes behind the header are those of them.
std::size_t checked_count(const NpyHeader& header, std::uint64_t behind, const std::string& path) {
  const std::size_t room = behind / header.kind.bytes;
  std::size_t count = 1;
  for (const std::int64_t dim : header.shape) {
    if (dim <= 0 || static_cast<std::size_t>(dim) > room / count) {
      throw Error(fmt::format("{}: has {} elements behind its header, which says {})", path, room, header.dims));
    }
    count *= static_cast<std::size_t>(dim);
  }
  if (behind != count * header.kind.bytes) {
    throw Error(fmt::format("{}: has {} bytes behind its header, expected {} for {}", path, behind, count * header.kind.bytes,
                            to_string(ir::Type{header.kind.dtype, header.shape})));
  }
  return count;
}

// From the file's bytes.
void copy_elements(const Kind& kind, const char* data, const Tensor& tensor) {
  if (kind.descr == "<i2") {
    widen<std::int16_t>(data, tensor.as<std::int32_t>(), tensor.count());
  } else if (kind.descr == "<u2") {
    widen<std::uint16_t>(data, tensor.as<std::int32_t>(), tensor.count());
  } else if (kind.descr == "<u4") {
    widen<std::uint32_t>(data, tensor.as<std::int64_t>(), tensor.count());
  } else {
    std::memcpy(tensor.view().data, data, tensor.bytes());
  }
}

// Each example is looked at whenever it is read: the file may have changed.
Examples indices_in_npy(const std::shared_ptr<const OpenFile>& file, const NpyHeader& header, std::int64_t rows, const std::string& path) {
  const ir::Type type{ir::DType::i32, header.shape};
  if (type.shape.size() < 2 || ir::is_float(header.kind.dtype))
    throw Error(path + ": holds " + to_string(ir::Type{header.kind.dtype, header.shape}) + ", expected indices: integers [count, ...]");
  checked_count(header, file->size() - header.begin, path);
  ir::Shape one = header.shape;
  one.front() = 1;
  const auto of_image = static_cast<std::size_t>(ir::element_count(one));
  const auto read = [=, kind = header.kind, first = header.begin](std::int64_t index, std::byte* room, const Window* /*window*/) {
    std::string bytes(of_image * kind.bytes, '\0');
    file->read(first + static_cast<std::uint64_t>(index) * bytes.size(), reinterpret_cast<std::byte*>(bytes.data()), bytes.size());
    const Tensor elements({kind.dtype, one});
    copy_elements(kind, bytes.data(), elements);
    ir::with_element_type(kind.dtype, [&]<class T>(T) {
      for (std::size_t i = 0; i < of_image; ++i) {
        const auto value = static_cast<std::int64_t>(elements.as<T>()[i]);
        check_index(value, rows, index * static_cast<std::int64_t>(of_image) + static_cast<std::int64_t>(i),
                    static_cast<std::int64_t>(of_image), path);
        reinterpret_cast<std::int32_t*>(room)[i] = static_cast<std::int32_t>(value);
      }
    });
    return static_cast<const std::byte*>(room);
  };
  Examples examples({type, read});
  std::vector<std::byte> room(examples.bytes());
  for (std::int64_t i = 0; i < examples.count(); ++i) examples.read(i, room.data());
  return examples;
}

}  // namespace

Tensor read_npy(const std::string& path) {
  return npy_from(read_maybe_gzipped(path,
                                     [&](const std::string& begin) {
                                       const NpyHeader announced = npy_header(begin, path);
                                       return announced.begin + announced.bytes;
                                     }),
                  path);
}

Tensor npy_from(const std::string& bytes, const std::string& path) {
  const NpyHeader header = npy_header(bytes, path);
  checked_count(header, bytes.size() - header.begin, path);
  Tensor tensor({header.kind.dtype, header.shape});
  copy_elements(header.kind, bytes.data() + header.begin, tensor);
  return tensor;
}

Examples examples_in_npy(const std::string& path, std::int64_t rows) {
  const auto file = std::make_shared<const OpenFile>(path);
  std::string begin(std::min<std::uint64_t>(file->size(), 12 + longest_header), '\0');
  file->read(0, reinterpret_cast<std::byte*>(begin.data()), begin.size());
  const NpyHeader header = npy_header(begin, path);
  const ir::Type type{header.kind.dtype, header.shape};
  if (rows > 0) return indices_in_npy(file, header, rows, path);
  check_example_type(type, path);
  checked_count(header, file->size() - header.begin, path);
  const std::size_t bytes = ir::byte_count(type) / static_cast<std::size_t>(type.shape.front());
  return Examples({type, [file, bytes, first = header.begin](std::int64_t index, std::byte* room, const Window* /*window*/) {
                     file->read(first + static_cast<std::uint64_t>(index) * bytes, room, bytes);
                     return static_cast<const std::byte*>(room);
                   }});
}

void write_npy(const ir::TensorView& tensor, const std::string& path) {
  std::string_view descr;
  for (const Kind& kind : kinds) {
    if (descr.empty() && kind.dtype == tensor.type.dtype) descr = kind.descr;
  }
  std::string shape;
  for (const std::int64_t dim : tensor.type.shape) shape += std::to_string(dim) + ",";
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 10 - 1, ' ');
  header += '\n';
  std::string bytes(magic);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(tensor.as<const char>(), ir::byte_count(tensor.type));
  write_file(path, bytes);
}

}  // namespace stair::runtime
