#include "tests/support/zip_file.h"

#include <zlib.h>

#include <stdexcept>

namespace stair::tests {
namespace {

std::string deflated(const std::string& bytes) {
  std::string packed(bytes.size() + 100, '\0');
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

void Zip::add(const std::string& name, const std::string& bytes, unsigned flags) {
  const std::string packed = deflates ? deflated(bytes) : bytes;
  const auto checksum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size()));
  const std::string extra =
      zip64 ? little(1, 2) + little(24, 2) + little(bytes.size(), 8) + little(packed.size(), 8) + little(files.size(), 8) : "";
  const auto in_extra = [&](std::uint64_t value) { return little(zip64 ? 0xffffffff : value, 4); };
  const std::string common = little(45, 2) + little(flags, 2) + little(deflates ? 8 : 0, 2) + little(0, 4) + little(checksum, 4) +
                             in_extra(packed.size()) + in_extra(bytes.size()) + little(name.size(), 2);
  directory += "PK\x01\x02" + little(45, 2) + common + little(extra.size(), 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4) +
               in_extra(files.size()) + name + extra;
  files += "PK\x03\x04" + common + little(20, 2) + name + std::string(20, 'x') + packed;  // extra fields of both places may differ
  ++count;
}

std::string Zip::bytes() const {
  return files + directory + "PK\x05\x06" + little(0, 4) + little(count, 2) + little(count, 2) + little(directory.size(), 4) +
         little(files.size(), 4) + little(3, 2) + "end";
}

std::string zip_file(const std::vector<std::pair<std::string, std::string>>& files, bool deflates) {
  Zip zip{deflates};
  for (const auto& [name, bytes] : files) zip.add(name, bytes);
  return zip.bytes();
}

}  // namespace stair::tests
