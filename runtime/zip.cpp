#include "runtime/zip.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "ir/error.h"
#include "runtime/file.h"

// PKWARE's APPNOTE.TXT 6.3: the central directory at the end says where each file's local header lies. Sizes and offsets that don't fit 32
// bits stand in the extra field of ZIP64.

namespace stair::runtime {
namespace {

constexpr std::uint64_t end_bytes = 22, entry_bytes = 46, local_bytes = 30;
constexpr std::uint64_t longest_comment = 0xffff;
constexpr std::uint32_t elsewhere = 0xffffffff;  // in the ZIP64 field

}  // namespace

ZipArchive::ZipArchive(const std::string& path) : path_(path), bytes_(read_file(path)) {
  read_directory();
}

std::uint64_t ZipArchive::number(std::uint64_t at, int bytes, const char* what) const {
  if (at > bytes_.size() || bytes_.size() - at < static_cast<std::uint64_t>(bytes))
    throw Error(fmt::format("{}: is a damaged ZIP archive: {} would lie at byte {}, behind its end", path_, what, at));
  std::uint64_t value = 0;
  for (int i = bytes; i-- > 0;) value = value << 8U | static_cast<unsigned char>(bytes_[at + static_cast<std::uint64_t>(i)]);
  return value;
}

void ZipArchive::read_directory() {
  const std::uint64_t size = bytes_.size();
  const std::uint64_t first = size > end_bytes + longest_comment ? size - end_bytes - longest_comment : 0;
  const std::size_t end = bytes_.rfind("PK\x05\x06");
  if (end == std::string::npos || end < first || size - end < end_bytes)
    throw Error(path_ + ": is no whole ZIP archive: its end record is missing");
  std::uint64_t at = number(end + 16, 4, "the directory");
  std::uint64_t count = number(end + 10, 2, "the number of files");
  if (at == elsewhere || count == 0xffff) {
    const std::uint64_t locator = end < 20 ? size : end - 20;
    const std::uint64_t record = number(locator + 8, 8, "the ZIP64 record");
    if (number(locator, 4, "the ZIP64 locator") != 0x07064b50 || number(record, 4, "the ZIP64 record") != 0x06064b50)
      throw Error(path_ + ": is a damaged ZIP archive: its ZIP64 record is missing");
    count = number(record + 32, 8, "the number of files");
    at = number(record + 48, 8, "the directory");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    if (number(at, 4, "the directory") != 0x02014b50)
      throw Error(fmt::format("{}: is a damaged ZIP archive: no file's entry at byte {}", path_, at));
    const std::uint64_t name_length = number(at + 28, 2, "an entry");
    const std::uint64_t extra_length = number(at + 30, 2, "an entry");
    const std::uint64_t comment_length = number(at + 32, 2, "an entry");
    number(at + entry_bytes + name_length + extra_length, 0, "an entry's end");
    const std::string name = bytes_.substr(at + entry_bytes, name_length);
    if (!entries_.emplace(name, read_entry(at, name_length, extra_length)).second)
      throw Error(fmt::format("{}: has two files '{}'", path_, name));
    at += entry_bytes + name_length + extra_length + comment_length;
  }
}

ZipArchive::Entry ZipArchive::read_entry(std::uint64_t at, std::uint64_t name_length, std::uint64_t extra_length) const {
  Entry entry{number(at + 20, 4, "an entry"), number(at + 24, 4, "an entry"), number(at + 42, 4, "an entry"),
              static_cast<std::uint32_t>(number(at + 16, 4, "an entry")), static_cast<unsigned>(number(at + 10, 2, "an entry"))};
  if ((number(at + 8, 2, "an entry") & 1U) != 0) entry.method = 0xffff;  // encrypted
  std::uint64_t field = at + entry_bytes + name_length;
  const std::uint64_t last = field + extra_length;
  while (last - field >= 4) {
    const std::uint64_t length = number(field + 2, 2, "an extra field");
    if (length > last - field - 4) break;
    if (number(field, 2, "an extra field") == 1) {
      std::uint64_t value = field + 4;
      for (std::uint64_t* of : {&entry.unpacked, &entry.packed, &entry.header}) {
        if (*of != elsewhere) continue;
        *of = number(value, 8, "a ZIP64 field");
        value += 8;
      }
    }
    field += 4 + length;
  }
  return entry;
}

std::string ZipArchive::read(const std::string& name) const {
  const Entry& entry = entries_.at(name);
  const std::string where = fmt::format("{}: '{}'", path_, name);
  if (entry.method != 0 && entry.method != 8)
    throw Error(fmt::format("{} is {}, expected stored or deflated", where,
                            entry.method == 0xffff ? "encrypted" : fmt::format("packed by method {}", entry.method)));
  if (entry.unpacked > largest_file())
    throw Error(fmt::format("{} has {} bytes, expected at most a quarter of the machine's memory", where, entry.unpacked));
  if (number(entry.header, 4, "a local header") != 0x04034b50)
    throw Error(fmt::format("{}: no local header at byte {}", where, entry.header));
  const std::uint64_t begin =
      entry.header + local_bytes + number(entry.header + 26, 2, "a local header") + number(entry.header + 28, 2, "a local header");
  if (begin > bytes_.size() || entry.packed > bytes_.size() - begin) throw Error(where + " ends behind the archive");
  std::string unpacked;
  if (entry.method == 0) {
    unpacked = bytes_.substr(begin, entry.packed);
  } else {
    z_stream stream{};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error(where + " can't be unpacked: out of memory");
    constexpr std::uint64_t most_at_once = 1U << 30;
    std::uint64_t given = 0;
    std::string block(std::min<std::uint64_t>(std::max<std::uint64_t>(entry.unpacked, 1), 1U << 20) + 1, '\0');
    int status = Z_OK;
    while (status == Z_OK && unpacked.size() <= entry.unpacked) {
      if (stream.avail_in == 0 && given < entry.packed) {
        const std::uint64_t more = std::min(most_at_once, entry.packed - given);
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes_.data() + begin + given));
        stream.avail_in = static_cast<uInt>(more);
        given += more;
      }
      stream.next_out = reinterpret_cast<Bytef*>(block.data());
      stream.avail_out = static_cast<uInt>(block.size());
      status = inflate(&stream, Z_NO_FLUSH);
      unpacked.append(block.data(), block.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) throw Error(where + " is damaged: it can't be unpacked");
  }
  const auto checksum = static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(unpacked.data()), unpacked.size()));
  if (unpacked.size() != entry.unpacked || checksum != entry.checksum)
    throw Error(fmt::format("{} is damaged: {} bytes with checksum {:08x}, expected {} with {:08x}", where, unpacked.size(), checksum,
                            entry.unpacked, entry.checksum));
  return unpacked;
}

}  // namespace stair::runtime
