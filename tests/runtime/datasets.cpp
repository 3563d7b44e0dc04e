#include <doctest/doctest.h>

#include <algorithm>

#include "runtime/dataset.h"
#include "runtime/gzip.h"
#include "tests/runtime/support.h"

// What all formats of data have in common, IDX and CIFAR-10. NumPy's: npy.cpp.

using namespace stair;
using runtime::Dataset;
using runtime::load_dataset;
using tests::error_of;

namespace {

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string idx(const std::vector<std::uint32_t>& dims, const std::string& elements, char element_type = 8) {
  std::string bytes{'\0', '\0', element_type, static_cast<char>(dims.size())};
  for (const std::uint32_t dim : dims) bytes += big_endian(dim);
  return bytes + elements;
}

// Two pictures of 2 x 3 and their labels.
const std::string pictures("\0\1\2\3\4\5\xfa\xfb\xfc\xfd\xfe\xff", 12);
std::string good_images() {
  return idx({2, 2, 3}, pictures);
}
std::string good_labels() {
  return idx({2}, "\7\3");
}

struct IdxFiles {
  tests::TemporaryFolder folder;
  std::string images = folder / "images", labels = folder / "labels";
  IdxFiles() {
    tests::put(images, good_images());
    tests::put(labels, good_labels());
  }
  std::string error() const {
    return error_of([&] { load_dataset("idx", {{{"images", {images}}, {"labels", {labels}}}}); });
  }
  // The error after the images' file holds something else.
  std::string error_of_images(const std::string& bytes) const {
    tests::put(images, bytes);
    return error();
  }
};

void check_good(const Dataset& dataset) {
  CHECK(dataset.inputs.front().type() == ir::Type{ir::DType::u8, {2, 1, 2, 3}});
  CHECK(dataset.labels.front().type() == ir::Type{ir::DType::i32, {2}});
  CHECK(std::string(tests::all_examples(dataset.inputs.front()).as<char>(), 12) == pictures);
  CHECK(dataset.labels.front().as<std::int32_t>()[0] == 7);
  CHECK(dataset.labels.front().as<std::int32_t>()[1] == 3);
  CHECK(dataset.count() == 2);
}

// A record of CIFAR-10: the picture's bytes count up from the label.
std::string cifar_record(int label) {
  std::string bytes(1, static_cast<char>(label));
  for (int i = 0; i < 3072; ++i) bytes += static_cast<char>(label + i);
  return bytes;
}

}  // namespace

TEST_CASE("IDX files are read, gzipped or not, and found with .gz behind their names") {
  const IdxFiles files;
  const auto load = [&](const std::string& images, const std::string& labels) {
    return load_dataset("idx", {{{"images", {images}}, {"labels", {labels}}}});
  };
  check_good(load(files.images, files.labels));
  CHECK(load(files.images, files.labels).source == files.labels);
  tests::put(files.folder / "i.gz", tests::gzipped(good_images()));
  tests::put(files.folder / "l.gz", tests::gzipped(good_labels()));
  check_good(load(files.folder / "i.gz", files.folder / "l.gz"));
  check_good(load(files.folder / "i", files.folder / "l"));
  // A gzip file needn't be called .gz.
  tests::put(files.images, tests::gzipped(good_images()));
  check_good(load(files.images, files.labels));
}

TEST_CASE("IDX pictures of several channels keep them") {
  const IdxFiles files;
  tests::put(files.images, idx({2, 3, 1, 2}, pictures));
  const Dataset dataset = load_dataset("idx", {{{"images", {files.images}}, {"labels", {files.labels}}}});
  CHECK(dataset.inputs.front().type() == ir::Type{ir::DType::u8, {2, 3, 1, 2}});
}

TEST_CASE("an IDX file that was cut off anywhere is refused") {
  const IdxFiles files;
  const std::string bytes = good_images();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    const std::string expected = length < 4    ? ": is no IDX file: expected two zero bytes at byte 0"
                                 : length < 16 ? ": is truncated: its header needs 16 bytes, found " + std::to_string(length)
                                               : ": has " + std::to_string(length - 16) + " bytes of elements, its header [2,2,3] says 12";
    CHECK(files.error_of_images(bytes.substr(0, length)) == files.images + expected);
  }
  CHECK(files.error_of_images(bytes + "x") == files.images + ": has 13 bytes of elements, its header [2,2,3] says 12");
}

TEST_CASE("IDX headers that can't be are refused by the byte") {
  const IdxFiles files;
  CHECK(files.error_of_images("\x89PNG and so on") == files.images + ": is no IDX file: expected two zero bytes at byte 0");
  CHECK(files.error_of_images(idx({2, 2, 3}, pictures, 13)) ==
        files.images + ": has elements of IDX type 0x0d (byte 2), expected 0x08, unsigned bytes");
  CHECK(files.error_of_images(good_labels()) == files.images + ": has 1 dimensions (byte 3), expected [count, height, width] or more");
  CHECK(files.error_of_images(idx({0, 2, 3}, "")) == files.images + ": dimension 0 is 0 (byte 4)");
  CHECK(files.error_of_images(idx({0xffffffff, 0xffffffff, 0xffffffff}, "")) == files.images + ": dimension 1 is 4294967295 (byte 8)");
  CHECK(files.error_of_images(idx({1000000, 1000000, 1}, "")) ==
        files.images + ": has 0 bytes of elements, its header [1000000,1000000,1] says 1000000000000");
}

TEST_CASE("IDX images and labels must agree") {
  const IdxFiles files;
  tests::put(files.labels, idx({3}, "\1\2\3"));
  CHECK(files.error() == files.labels + " has 3 labels, but " + files.images + " has 2 images");
  tests::put(files.labels, good_images());
  CHECK(files.error() == files.labels + ": has elements [2,2,3], expected labels [count]; are images and labels swapped?");
}

TEST_CASE("a missing file is an error that names it") {
  const IdxFiles files;
  const std::string nowhere = files.folder / "nowhere";
  for (const char* format : {"idx", "npy"}) {
    CHECK(error_of([&] {
            load_dataset(format, {{{"images", {nowhere}}, {"labels", {files.labels}}}});
          }) == nowhere + ": can't be opened: No such file or directory");
  }
  CHECK(error_of([&] { load_dataset("cifar10", {{{"batches", {nowhere}}}}); }) == nowhere + ": can't be opened: No such file or directory");
  const std::string too_long = files.folder / std::string(300, 'n');
  CHECK(error_of([&] { runtime::read_maybe_gzipped(too_long); }) == too_long + ": can't be opened: File name too long");
}

TEST_CASE("a gzip file that was cut off anywhere is refused") {
  const IdxFiles files;
  std::string bytes = good_images();
  const std::string packed = tests::gzipped(bytes);
  for (std::size_t length = 2; length < packed.size(); ++length) {
    CAPTURE(length);
    const std::string error = files.error_of_images(packed.substr(0, length));
    CHECK(error.starts_with(files.images + ": is a corrupt or truncated gzip file, after "));
    CHECK(error.ends_with(" bytes of contents: unexpected end of file"));
  }
  CHECK(files.error_of_images(packed.substr(0, packed.size() - 1)) ==
        files.images + ": is a corrupt or truncated gzip file, after 28 bytes of contents: unexpected end of file");
}

TEST_CASE("a gzip file with a changed byte is refused or holds the same") {
  const IdxFiles files;
  const std::string packed = tests::gzipped(good_images());
  for (std::size_t at = 0; at < packed.size(); ++at) {
    CAPTURE(at);
    std::string damaged = packed;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    tests::put(files.images, damaged);
    std::string read;
    if (error_of([&] { read = runtime::read_maybe_gzipped(files.images); }) == "no error") {
      // The time, the system's name and the like; or no gzip file any more, and then no IDX file either.
      CHECK((read == good_images() || files.error() != "no error"));
    }
  }
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);
  const std::string error = files.error_of_images(damaged);
  CHECK(error.starts_with(files.images + ": is a corrupt or truncated gzip file, after "));
  CHECK(error.ends_with(" bytes of contents: incorrect data check"));
}

TEST_CASE("large gzip files are read whole") {
  const tests::TemporaryFolder folder;
  std::string bytes(3U << 20, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i >> 9);
  for (const std::size_t size : {std::size_t{1} << 20, (std::size_t{1} << 20) + 1, bytes.size()}) {
    tests::put(folder / "f.gz", tests::gzipped(bytes.substr(0, size)));
    CHECK(runtime::read_maybe_gzipped(folder / "f") == bytes.substr(0, size));
  }
}

TEST_CASE("CIFAR-10 batches are read in the order given") {
  const tests::TemporaryFolder folder;
  tests::put(folder / "1", cifar_record(0) + cifar_record(9));
  tests::put(folder / "2.gz", tests::gzipped(cifar_record(4)));
  const Dataset dataset = load_dataset("cifar10", {{{"batches", {folder / "1", folder / "2"}}}});
  CHECK(dataset.inputs.front().type() == ir::Type{ir::DType::u8, {3, 3, 32, 32}});
  CHECK(dataset.source == folder / "1");
  const std::vector<int> labels{0, 9, 4};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    CHECK(dataset.labels.front().as<std::int32_t>()[i] == labels[i]);
    CHECK(std::string(tests::all_examples(dataset.inputs.front()).as<char>() + i * 3072, 3072) == cifar_record(labels[i]).substr(1));
  }
}

TEST_CASE("CIFAR-10 files that can't be are refused") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "batch";
  const auto error = [&](const std::string& bytes) {
    tests::put(path, bytes);
    return error_of([&] { load_dataset("cifar10", {{{"batches", {path}}}}); });
  };
  CHECK(error(cifar_record(1) + cifar_record(2).substr(0, 100)) ==
        path + ": has 3173 bytes, expected records of 3073 bytes (byte 3073 begins one that isn't whole)");
  CHECK(error("") == path + ": has 0 bytes, expected records of 3073 bytes (byte 0 begins one that isn't whole)");
  CHECK(error(cifar_record(1) + cifar_record(10)) == path + ": the label of image 1 is 10 (byte 3073), expected 0 to 9");
}

TEST_CASE("CIFAR-100 has two labels, of which one counts") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "train.bin";
  const auto record = [](int coarse, int fine) {
    return std::string{static_cast<char>(coarse), static_cast<char>(fine)} + cifar_record(3).substr(1);
  };
  tests::put(path, record(19, 99) + record(0, 20));
  for (const bool fine : {true, false}) {
    const Dataset dataset = load_dataset("cifar100", {{{"batches", {path}}}, {{"classes", std::string(fine ? "fine" : "coarse")}}});
    CHECK(dataset.labels.front().as<std::int32_t>()[0] == (fine ? 99 : 19));
    CHECK(dataset.labels.front().as<std::int32_t>()[1] == (fine ? 20 : 0));
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(std::string(tests::all_examples(dataset.inputs.front()).as<char>() + i * 3072, 3072) == cifar_record(3).substr(1));
  }
  tests::put(path, record(1, 2) + record(20, 100));
  CHECK(error_of([&] {
          load_dataset("cifar100", {{{"batches", {path}}}});
        }) == path + ": the label of image 1 is 100 (byte 3075), expected 0 to 99");
  CHECK(error_of([&] {
          load_dataset("cifar100", {{{"batches", {path}}}, {{"classes", std::string("coarse")}}});
        }) == path + ": the label of image 1 is 20 (byte 3074), expected 0 to 19");
}

TEST_CASE("unknown formats and keys are answered with the nearest") {
  CHECK(error_of([] { load_dataset("cifar", {}); }) ==
        "unknown data format 'cifar' (did you mean 'cifar10'?), expected 'cifar10', 'cifar100', 'csv', 'folder', 'idx', 'none', 'npy' or "
        "'npz'");
  CHECK(error_of([] { load_dataset("parquet", {}); }) ==
        "unknown data format 'parquet', expected 'cifar10', 'cifar100', 'csv', 'folder', 'idx', 'none', 'npy' or 'npz'");
  CHECK(error_of([] {
          load_dataset("idx", {{{"image", {"f"}}, {"labels", {"f"}}}});
        }) == "data of the format 'idx': unknown key 'image' (did you mean 'images'?), expected 'images' or 'labels'");
  CHECK(error_of([] { load_dataset("idx", {{{"images", {"f"}}}}); }) == "data of the format 'idx': 'labels' is missing");
  CHECK(error_of([] { load_dataset("cifar10", {{{"batches", {}}}}); }) == "data of the format 'cifar10': 'batches' is missing");
  CHECK(runtime::dataset_formats().names() ==
        std::vector<std::string>{"cifar10", "cifar100", "csv", "folder", "idx", "none", "npy", "npz"});
  CHECK(error_of([] { load_dataset("none", {}); }).starts_with("no data are stated"));
}

TEST_CASE("labels outside of the model's classes are named") {
  Dataset dataset{runtime::Tensor({ir::DType::u8, {3, 1, 1, 1}}), runtime::Tensor({ir::DType::i32, {3}}), "FILE"};
  auto* labels = dataset.labels.front().as<std::int32_t>();
  labels[1] = 9;
  CHECK(error_of([&] { runtime::check_labels(dataset.labels.front(), 10, "FILE"); }) == "no error");
  CHECK(error_of([&] { runtime::check_labels(dataset.labels.front(), 9, "FILE"); }) == "FILE: the label of image 1 is 9, expected 0 to 8");
  labels[2] = -1;
  CHECK(error_of([&] { runtime::check_labels(dataset.labels.front(), 10, "FILE"); }) ==
        "FILE: the label of image 2 is -1, expected 0 to 9");
}
