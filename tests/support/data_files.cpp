#include "tests/support/data_files.h"

#include "ir/random.h"

namespace stair::tests {

std::string idx_header(const std::vector<std::uint32_t>& dims) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(dims.size())};
  for (const std::uint32_t dim : dims) {
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(dim >> shift & 0xff);
  }
  return bytes;
}

std::string npy_file(const std::string& descr, const std::string& shape, const std::string& elements) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(117, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + elements;
}

std::string random_bytes(std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(ir::random_bits(seed, stream, 0, i) & 0xff);
  return bytes;
}

std::string random_labels(std::size_t count, std::uint64_t classes, std::uint64_t seed, std::uint64_t stream) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(ir::random_bits(seed, stream, 1, i) % classes);
  return bytes;
}

std::string random_floats(std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) {
    const float value = ir::random_uniform(seed, stream, 0, i);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

std::string random_cifar10(std::size_t count, std::uint64_t seed, std::uint64_t stream) {
  std::string records;
  for (std::size_t i = 0; i < count; ++i) records += static_cast<char>(i % 4) + random_bytes(3072, seed, stream + i);
  return records;
}

}  // namespace stair::tests
