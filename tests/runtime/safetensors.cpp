#include "runtime/safetensors.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstring>

#include "ir/random.h"
#include "tests/runtime/support.h"

using namespace stair;
using runtime::Safetensors;
using runtime::Tensor;
using tests::error_of;

namespace {

constexpr ir::DType dtypes[] = {ir::DType::f32, ir::DType::f64, ir::DType::s8, ir::DType::u8, ir::DType::i32, ir::DType::i64};

Safetensors small_contents() {
  Safetensors contents;
  contents.tensors.emplace("a", tests::random_bytes({ir::DType::f32, {2, 3}}, 1));
  contents.tensors.emplace("b", tests::random_bytes({ir::DType::u8, {4}}, 2));
  contents.metadata = {{"step", "12"}};
  return contents;
}

std::string read_error(const std::string& bytes, const std::string& format = "tests", int version = 1) {
  return error_of([&] { runtime::from_safetensors(bytes, "FILE", format, version); });
}

// A file of that header and data. Its checksum fits: computed here from the definition, over the file with zeros for the digits.
std::string forged(std::string header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  bytes += header + data;
  const std::size_t at = bytes.find("00000000\"");
  if (at == std::string::npos) return bytes;
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08lx", crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
  return bytes.replace(at, 8, digits);
}

// A file of our format with these entries for tensors.
std::string with_entries(const std::string& entries, std::size_t data_bytes) {
  return forged(R"({"__metadata__":{"format":"tests","version":"1","crc32":"00000000"})" + (entries.empty() ? "" : "," + entries) + "}",
                std::string(data_bytes, 'x'));
}

}  // namespace

TEST_CASE("tensors of every type and of random shapes survive, with their metadata") {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    std::uint64_t draws = 0;
    const auto pick = [&](std::uint64_t n) { return static_cast<std::int64_t>(ir::random_bits(seed, 9, 0, draws++) % n); };
    Safetensors contents;
    for (const ir::DType dtype : dtypes) {
      ir::Shape shape;
      for (std::int64_t rank = pick(5); rank > 0; --rank) shape.push_back(1 + pick(7));
      const std::string name = "tensor \"" + std::string(ir::name_of(dtype)) + "\"/é." + std::to_string(pick(100));
      contents.tensors.emplace(name, tests::random_bytes({dtype, shape}, seed * 10 + static_cast<std::uint64_t>(dtype)));
    }
    contents.metadata = {{"text", "lines\n\"quotes\" \\ \"crc32\":\"00000000\" é"}, {"empty", ""}};
    const std::string bytes = runtime::to_safetensors(contents, "tests", 1);
    const Safetensors read = runtime::from_safetensors(bytes, "FILE", "tests", 1);
    CHECK(tests::differing(read.tensors, contents.tensors) == "");
    CHECK(read.metadata.at("text") == contents.metadata.at("text"));
    CHECK(read.metadata.at("empty") == "");
    CHECK(read.metadata.at("format") == "tests");
    CHECK(read.metadata.at("version") == "1");
    CHECK(runtime::to_safetensors(contents, "tests", 1) == bytes);
  }
}

TEST_CASE("a file without tensors is one") {
  CHECK(runtime::from_safetensors(runtime::to_safetensors({}, "tests", 1), "FILE", "tests", 1).tensors.empty());
}

TEST_CASE("the bytes are laid out as safetensors has it, the data at a multiple of 8") {
  Safetensors contents;
  contents.tensors.emplace("b", Tensor({ir::DType::i32, {2}}));
  contents.tensors.emplace("a", Tensor({ir::DType::u8, {1, 3}}));
  contents.tensors.find("a")->second.as<std::uint8_t>()[1] = 7;
  contents.tensors.find("b")->second.as<std::int32_t>()[0] = 258;
  const std::string bytes = runtime::to_safetensors(contents, "tests", 3);
  const std::string header =
      R"({"__metadata__":{"format":"tests","version":"3","crc32":"00000000"},"a":{"dtype":"U8","shape":[1,3],"data_offsets":[0,3]},)"
      R"("b":{"dtype":"I32","shape":[2],"data_offsets":[3,11]}})";
  CHECK(bytes == forged(header + std::string((8 - header.size() % 8) % 8, ' '), std::string("\0\7\0\2\1\0\0\0\0\0\0", 11)));
  CHECK((bytes.size() - 11) % 8 == 0);
}

TEST_CASE("a file that was cut off anywhere is refused") {
  const std::string bytes = runtime::to_safetensors(small_contents(), "tests", 1);
  const std::size_t data = bytes.size() - 28;
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    const std::string error = read_error(bytes.substr(0, length));
    if (length < data) {
      CHECK(error == "FILE: is truncated, or no safetensors file: its header doesn't fit into it (byte 0)");
    } else {
      CHECK(error.starts_with("FILE: tensor '"));
    }
  }
  CHECK(read_error(bytes.substr(0, bytes.size() - 1)) == "FILE: tensor 'b' lies at bytes 24 to 28 of 27, expected 4 bytes from 24 on");
  CHECK(read_error(bytes.substr(0, data + 23)) == "FILE: tensor 'a' is larger than the file");
}

TEST_CASE("every changed byte is noticed") {
  const std::string bytes = runtime::to_safetensors(small_contents(), "tests", 1);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      CAPTURE(at);
      CAPTURE(flip);
      CHECK(read_error(damaged).starts_with("FILE: "));
    }
  }
  std::string damaged = bytes;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  CHECK(read_error(damaged).starts_with("FILE: is damaged: its checksum is "));
}

TEST_CASE("other files are refused by what they are") {
  CHECK(read_error("") == "FILE: is truncated, or no safetensors file: its header doesn't fit into it (byte 0)");
  CHECK(read_error(forged("[1]", "")) == "FILE: is no safetensors file: its header is no JSON object (byte 8)");
  CHECK(read_error(forged("{\"a\":", "")).starts_with("FILE: is no safetensors file: its header:1:6: is not JSON: "));
  const std::string deep = "FILE: is no safetensors file: its header: is nested more than 100 deep";
  CHECK(read_error(forged(std::string(100000, '['), "")) == deep);
  CHECK(read_error(forged(R"({"w":{"dtype":)" + std::string(100000, '[') + std::string(100000, ']') + "}}", "")) == deep);
  const std::string foreign = "FILE: is a safetensors file of another program, expected a tests";
  CHECK(read_error(forged("{}", "")) == foreign);
  CHECK(read_error(forged(R"({"__metadata__":{"format":"tests","inputs":{"x":1}}})", "")) ==
        "FILE: 'inputs' in its metadata is an object, expected a text");
  CHECK(read_error(forged(R"({"__metadata__":{"format":"pt"}})", "")) == "FILE: is a pt, expected a tests");
  CHECK(read_error(forged(R"({"__metadata__":[1,"format"]})", "")) == foreign);
  CHECK(read_error(forged(R"({"__metadata__":3})", "")) == foreign);
  const std::string bytes = runtime::to_safetensors(small_contents(), "tests", 2);
  CHECK(read_error(bytes, "others") == "FILE: is a tests, expected a others");
  CHECK(read_error(bytes) == "FILE: is a tests of version 2, this program reads version 1");
  CHECK(read_error(forged(R"({"__metadata__":{"format":"tests"}})", "")) == "FILE: is a tests of version ?, this program reads version 1");
  CHECK(read_error(forged(R"({"__metadata__":{"format":"tests","version":"1"}})", "")) == "FILE: has no checksum in its metadata");
}

TEST_CASE("a header that describes the data wrongly is refused even where the checksum fits") {
  const std::string a = R"("a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
  CHECK(read_error(with_entries(a, 4)) == "no error");
  CHECK(read_error(with_entries(a, 5)) == "FILE: has 1 bytes behind its tensors, expected none");
  CHECK(read_error(with_entries("", 3)) == "FILE: has 3 bytes behind its tensors, expected none");
  CHECK(read_error(with_entries(a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]})", 6)) ==
        "FILE: tensor 'b' lies at bytes 2 to 6 of 6, expected 4 bytes from 4 on");
  CHECK(read_error(with_entries(a + R"(,"b":{"dtype":"U8","shape":[4],"data_offsets":[6,10]})", 10)) ==
        "FILE: tensor 'b' lies at bytes 6 to 10 of 10, expected 4 bytes from 4 on");
  CHECK(read_error(with_entries(R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,4]})", 4)) ==
        "FILE: tensor 'a' lies at bytes 0 to 4 of 4, expected 3 bytes from 0 on");
  CHECK(read_error(with_entries(R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4)) ==
        "FILE: tensor 'a' is larger than the file");
  CHECK(read_error(with_entries(R"("a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,4]})", 4)) ==
        "FILE: tensor 'a' has the shape [4294967296,4294967296]");
  CHECK(read_error(with_entries(R"("a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]})", 4)) == "FILE: tensor 'a' has the shape [-4]");
  CHECK(read_error(with_entries(R"("a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,4]})", 4)) == "FILE: tensor 'a' has the shape [1.5]");
  CHECK(read_error(with_entries(R"("a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]})", 4)) ==
        "FILE: tensor 'a' has the element type \"BF16\", expected F32, F64, I8, U8, I32 or I64");
  for (const char* entry : {R"(3)", R"({"dtype":"U8","shape":[4]})", R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})",
                            R"({"dtype":"U8","shape":[4],"data_offsets":[0,4,4]})", R"({"dtype":"U8","shape":[4],"data_offsets":[-1,3]})",
                            R"({"shape":[4],"data_offsets":[0,4]})", R"({"dtype":"U8","shape":[4],"data_offsets":["0",4]})"}) {
    CHECK(read_error(with_entries(std::string(R"("a":)") + entry, 4)) ==
          "FILE: tensor 'a': its entry in the header isn't that of a tensor");
  }
}
