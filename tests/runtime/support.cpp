#include "tests/runtime/support.h"

#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <stdexcept>
#include <vector>

#include "ir/error.h"
#include "ir/random.h"

namespace stair::tests {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "stair-runtime-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::ptrdiff_t TemporaryFolder::files() const {
  return std::distance(std::filesystem::directory_iterator(path_), std::filesystem::directory_iterator());
}

void put(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("can't write " + path);
}

std::string get(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string in(bytes);
  std::string out(deflateBound(&stream, static_cast<uLong>(in.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (!whole) throw std::runtime_error("zlib");
  return out;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

runtime::Tensor random_bytes(const ir::Type& type, std::uint64_t seed) {
  runtime::Tensor tensor(type);
  for (std::size_t i = 0; i < tensor.bytes(); ++i) tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(ir::random_bits(seed, 3, 0, i));
  return tensor;
}

runtime::Tensor all_examples(const runtime::Examples& examples) {
  runtime::Tensor all(examples.type());
  std::vector<std::byte> room(examples.bytes());
  for (std::int64_t i = 0; i < examples.count(); ++i)
    std::memcpy(all.as<std::byte>() + static_cast<std::size_t>(i) * room.size(), examples.read(i, room.data()), room.size());
  return all;
}

bool same_bytes(const ir::TensorView& a, const ir::TensorView& b) {
  return a.type == b.type && std::memcmp(a.data, b.data, ir::byte_count(a.type)) == 0;
}

std::string differing(const runtime::Tensors& a, const runtime::Tensors& b) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : a) {
    const auto it = b.find(name);
    if (it == b.end() || !same_bytes(tensor.view(), it->second.view())) names.insert(name);
  }
  for (const auto& [name, tensor] : b) {
    if (!a.contains(name)) names.insert(name);
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : " ") + name;
  return list;
}

bool same_tensors(const runtime::Tensors& a, const runtime::Tensors& b) {
  return differing(a, b).empty();
}

runtime::Tensors cloned(const runtime::Tensors& tensors) {
  runtime::Tensors copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.clone());
  return copies;
}

}  // namespace stair::tests
