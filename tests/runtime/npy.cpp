#include "runtime/npy.h"

#include <doctest/doctest.h>

#include <cstring>

#include "runtime/dataset.h"
#include "tests/runtime/support.h"

using namespace stair;
using tests::error_of;

namespace {

// A file as NumPy writes it.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data, const std::string& fortran = "False",
                int version = 1) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  const std::size_t prefix = version == 1 ? 10 : 12;
  header.resize((prefix + header.size() + 1 + 63) / 64 * 64 - prefix - 1, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += {static_cast<char>(version), '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) bytes += std::string(2, '\0');
  return bytes + header + data;
}

template <class T>
std::string bytes_of(std::vector<T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// The elements of such a file, read as they are or widened to To.
template <class To, class From>
void check_read(const std::string& descr, ir::DType dtype, std::vector<From> values) {
  CAPTURE(descr);
  const tests::TemporaryFolder folder;
  const std::string shape = "(" + std::to_string(values.size() / 2) + ", 2)";
  for (int version = 1; version <= 3; ++version) {
    tests::put(folder / "a.npy", npy(descr, shape, bytes_of(values), "False", version));
    const runtime::Tensor tensor = runtime::read_npy(folder / "a.npy");
    CHECK(tensor.type() == ir::Type{dtype, {static_cast<std::int64_t>(values.size() / 2), 2}});
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(tensor.as<To>()[i] == static_cast<To>(values[i]));
  }
}

struct NpyFiles {
  tests::TemporaryFolder folder;
  std::string images = folder / "images.npy", labels = folder / "labels.npy";
  NpyFiles() {
    tests::put(images, npy("|u1", "(2, 1, 2, 2)", "12345678"));
    tests::put(labels, npy("<i8", "(2,)", bytes_of<std::int64_t>({1, 0})));
  }
  runtime::Dataset load() const { return runtime::load_dataset("npy", {{{"images", {images}}, {"labels", {labels}}}}); }
  std::string error() const {
    return error_of([&] { load(); });
  }
};

}  // namespace

TEST_CASE("NumPy arrays of every type that is read keep their values") {
  check_read<float, float>("<f4", ir::DType::f32, {1.5F, -0.25F, 3e38F, 1e-40F});
  check_read<double, double>("<f8", ir::DType::f64, {1.1, -2.2, 1e300, 0});
  check_read<std::int8_t, std::int8_t>("|i1", ir::DType::s8, {-128, 127, 0, -1});
  check_read<std::uint8_t, std::uint8_t>("|u1", ir::DType::u8, {0, 255, 128, 1});
  check_read<std::int32_t, std::int16_t>("<i2", ir::DType::i32, {-32768, 32767, -1, 5});
  check_read<std::int32_t, std::uint16_t>("<u2", ir::DType::i32, {0, 65535, 32768, 5});
  check_read<std::int32_t, std::int32_t>("<i4", ir::DType::i32, {-2147483647 - 1, 2147483647, -1, 5});
  check_read<std::int64_t, std::uint32_t>("<u4", ir::DType::i64, {0, 4294967295U, 2147483648U, 5});
  check_read<std::int64_t, std::int64_t>("<i8", ir::DType::i64, {INT64_MIN, INT64_MAX, -1, 5});
}

TEST_CASE("what is written as .npy is read back, scalars included") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  for (const ir::DType dtype : {ir::DType::f32, ir::DType::f64, ir::DType::s8, ir::DType::u8, ir::DType::i32, ir::DType::i64}) {
    for (const ir::Shape& shape : {ir::Shape{}, ir::Shape{5}, ir::Shape{2, 3}, ir::Shape{1, 2, 3, 4}}) {
      const runtime::Tensor tensor = tests::random_bytes({dtype, shape}, 4);
      runtime::write_npy(tensor.view(), path);
      CHECK(tests::same_bytes(runtime::read_npy(path).view(), tensor.view()));
      CHECK((tests::get(path).size() - tensor.bytes()) % 64 == 0);
    }
  }
}

TEST_CASE("a .npy file that was cut off anywhere is refused") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const std::string bytes = npy("<i4", "(2, 3)", std::string(24, 'x'));
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    tests::put(path, bytes.substr(0, length));
    const std::string error = error_of([&] { runtime::read_npy(path); });
    if (length < 12) {
      CHECK(error == path + ": is no .npy file: its first 6 bytes aren't \\x93NUMPY");
    } else if (length < bytes.size() - 24) {
      CHECK(error == path + ": is truncated: its header doesn't fit into it");
    } else {
      CHECK(error.starts_with(path + ": has "));
    }
  }
  tests::put(path, bytes.substr(0, bytes.size() - 1));
  CHECK(error_of([&] { runtime::read_npy(path); }) == path + ": has 5 elements behind its header, which says (2, 3)");
  tests::put(path, bytes + "y");
  CHECK(error_of([&] { runtime::read_npy(path); }) == path + ": has 25 bytes behind its header, expected 24 for i32[2,3]");
}

TEST_CASE("a .npy file with a changed byte never ends the program") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const std::string bytes = npy("<i4", "(2, 3)", std::string(24, 'x'));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int flip : {1, 16, 128}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      tests::put(path, damaged);
      const std::string error = error_of([&] { runtime::read_npy(path); });
      CHECK((error == "no error" || error.starts_with(path + ": ")));
    }
  }
}

TEST_CASE("arrays that aren't read are refused by what they are") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  const auto error = [&](const std::string& bytes) {
    tests::put(path, bytes);
    return error_of([&] { runtime::read_npy(path); });
  };
  const std::string expected = ", expected '<f4', '<f8', '|i1', '|u1', '<i2', '<u2', '<i4', '<u4' or '<i8'";
  CHECK(error(npy(">f4", "(1,)", "abcd")) == path + ": has elements of the type '>f4'" + expected);
  CHECK(error(npy("<c8", "(1,)", "abcdefgh")) == path + ": has elements of the type '<c8'" + expected);
  CHECK(error(npy("<f4", "(1,)", "abcd", "True")) == path + ": is in Fortran order, expected C order");
  CHECK(error(npy("<f4", "(1,)", "abcd", "False", 4)) == path + ": is a .npy file of version 4, expected 1 to 3");
  CHECK(error(npy("|u1", "(99999999999999999999,)", "a")) ==
        path + ": has 1 elements behind its header, which says (99999999999999999999,)");
  CHECK(error(npy("|u1", "(4294967296, 4294967296)", "a")) ==
        path + ": has 1 elements behind its header, which says (4294967296, 4294967296)");
  CHECK(error(npy("|u1", "(0, 3)", "")) == path + ": has 0 elements behind its header, which says (0, 3)");
  CHECK(error("PK\x03\x04 an .npz archive") == path + ": is no .npy file: its first 6 bytes aren't \\x93NUMPY");
}

TEST_CASE("images and labels come from two arrays") {
  const NpyFiles files;
  const runtime::Dataset dataset = files.load();
  CHECK(dataset.inputs.front().type() == ir::Type{ir::DType::u8, {2, 1, 2, 2}});
  CHECK(std::string(tests::all_examples(dataset.inputs.front()).as<char>(), 8) == "12345678");
  CHECK(dataset.labels.front().type() == ir::Type{ir::DType::i32, {2}});
  CHECK(dataset.labels.front().as<std::int32_t>()[0] == 1);
  CHECK(dataset.source == files.labels);
  for (const auto& [descr, labels] : {std::pair<std::string, std::string>{"|u1", std::string("\1\2")},
                                      {"|i1", std::string("\1\2")},
                                      {"<i2", bytes_of<std::int16_t>({1, 2})},
                                      {"<u4", bytes_of<std::uint32_t>({1, 2})},
                                      {"<i4", bytes_of<std::int32_t>({1, 2})}}) {
    tests::put(files.labels, npy(descr, "(2,)", labels));
    CHECK(files.load().labels.front().as<std::int32_t>()[1] == 2);
  }
  tests::put(files.images, npy("<f4", "(2, 1)", "abcdefgh"));
  CHECK(files.load().inputs.front().type() == ir::Type{ir::DType::f32, {2, 1}});
}

TEST_CASE("images and labels that can't be are refused") {
  const NpyFiles files;
  const auto with_labels = [&](const std::string& bytes) {
    tests::put(files.labels, bytes);
    return files.error();
  };
  CHECK(with_labels(npy("|u1", "(3,)", "\1\2\3")) == files.labels + " has 3 labels, but " + files.images + " has 2 images");
  CHECK(with_labels(npy("|u1", "()", "\1")) == files.labels + ": holds labels u8[], expected one an image: [count, ...]");
  CHECK(with_labels(npy("<f4", "(2,)", std::string("\0\0\0\0\0\0\x80\x7f", 8))) == files.labels + ": the label of image 1 is inf");
  CHECK(with_labels(npy("|i1", "(2,)", "\1\xff")) == files.labels + ": the label of image 1 is -1");
  CHECK(with_labels(npy("<i8", "(2,)", bytes_of<std::int64_t>({1LL << 40, 0}))) ==
        files.labels + ": the label of image 0 is 1099511627776");
  tests::put(files.labels, npy("|u1", "(2,)", "\1\2"));
  const auto with_images = [&](const std::string& bytes) {
    tests::put(files.images, bytes);
    return files.error();
  };
  CHECK(with_images(npy("<f8", "(2, 1)", std::string(16, 'x'))) ==
        files.images + ": holds images f64[2,1], expected u8 or f32 [count, ...]");
  CHECK(with_images(npy("|u1", "(2,)", "ab")) == files.images + ": holds images u8[2], expected u8 or f32 [count, ...]");
}

TEST_CASE("a gzip file that unpacks to more than its header announces is read no further") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a.npy";
  tests::put(path, tests::gzipped(npy("|u1", "(3,)", "abc" + std::string(std::size_t{64} << 20U, '\0'))));
  CHECK(error_of([&] { runtime::read_npy(path); }) == path + ": has more than the 131 bytes that its header announces");
}
