#include <doctest/doctest.h>

#include "runtime/dataset.h"
#include "tests/runtime/support.h"
#include "tests/support/data_files.h"
#include "tests/support/zip_file.h"

using namespace stair;
using runtime::Dataset;
using tests::error_of;
using tests::little;
using tests::Zip;

namespace {

std::string whole(bool deflates, bool zip64) {
  Zip zip{deflates, zip64, {}, {}};
  zip.add("x.npy", tests::npy_file("<f4", "4, 3", tests::random_floats(12, 1, 9)));
  zip.add("y.npy", tests::npy_file("<i8", "4,", little(2, 8) + little(0, 8) + little(1, 8) + little(2, 8)));
  zip.add("who.npy", tests::npy_file("|u1", "4,", std::string("\5\6\5\7")));
  return zip.bytes();
}

struct File {
  tests::TemporaryFolder folder;
  std::string path = folder / "a.npz";
  explicit File(const std::string& bytes) { tests::put(path, bytes); }
  Dataset load(ir::Attributes settings = {}) const {
    if (!settings.has("images")) settings.set("images", std::string("x"));
    if (!settings.has("labels")) settings.set("labels", std::string("y"));
    return runtime::load_dataset("npz", {{{"arrays", {path}}}, settings});
  }
  std::string error(const ir::Attributes& settings = {}) const {
    return error_of([&] { load(settings); });
  }
};

}  // namespace

TEST_CASE("arrays of one .npz file are examples and labels, all of them or those that another array selects") {
  for (const bool deflates : {false, true}) {
    for (const bool zip64 : {false, true}) {
      const File file(whole(deflates, zip64));
      const Dataset all = file.load();
      CHECK(all.inputs.front().type() == ir::Type{ir::DType::f32, {4, 3}});
      CHECK(std::string(tests::all_examples(all.inputs.front()).as<char>(), 48) == tests::random_floats(12, 1, 9));
      const Dataset some = file.load({{"select", std::string("who")}, {"equals", std::vector<std::int64_t>{7, 6}}});
      REQUIRE(some.count() == 2);
      CHECK(some.labels.front().as<std::int32_t>()[0] == 0);
      CHECK(some.labels.front().as<std::int32_t>()[1] == 2);
      for (int i = 0; i < 3; ++i)
        CHECK(tests::all_examples(some.inputs.front()).as<float>()[3 + i] == tests::all_examples(all.inputs.front()).as<float>()[9 + i]);
    }
  }
}

TEST_CASE("what an .npz file doesn't hold is named") {
  const File file(whole(true, false));
  CHECK(file.error({{"images", std::string("X")}}) ==
        file.path + ": has no array 'X' ('images') (did you mean 'x'?), expected 'who', 'x' or 'y'");
  CHECK(file.error({{"images", std::string("y")}}) == file.path + ": 'y': holds images i64[4], expected u8 or f32 [count, ...]");
  CHECK(file.error({{"select", std::string("who")}}).ends_with("expected both: an array and its values"));
  CHECK(file.error({{"select", std::string("x")}, {"equals", std::vector<std::int64_t>{1}}}) ==
        file.path + ": 'x': is f32[4,3], expected an integer for each of the 4 examples");
  CHECK(file.error({{"select", std::string("who")}, {"equals", std::vector<std::int64_t>{1, 2}}}) ==
        file.path + ": 'who': no example has one of the values 1, 2");
}

TEST_CASE("damaged .npz files are refused: each byte changed, each end cut off") {
  const std::string bytes = whole(true, false);
  const std::vector<float> correct = [&] {
    const Dataset all = File(bytes).load();
    const runtime::Tensor values = tests::all_examples(all.inputs.front());
    return std::vector<float>(values.as<float>(), values.as<float>() + 12);
  }();
  int refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x41);
    const File file(changed);
    const std::string error = file.error();
    if (error != "no error") {
      CHECK(error.starts_with(file.path + ": "));
      ++refused;
    } else {  // what isn't looked at, as times of files
      const runtime::Tensor same = tests::all_examples(file.load().inputs.front());
      CHECK(std::vector<float>(same.as<float>(), same.as<float>() + 12) == correct);
    }
    if (i % 7 == 0) {
      const File cut(bytes.substr(0, i));
      CHECK(cut.error().starts_with(cut.path + ": "));
    }
  }
  CHECK(refused > static_cast<int>(bytes.size()) / 3);
}

TEST_CASE("an archive can't announce more than there is, nor hide what it holds") {
  Zip encrypted;
  encrypted.add("x.npy", "secret", 1);
  const File locked(encrypted.bytes());
  CHECK(locked.error() == locked.path + ": 'x.npy' is encrypted, expected stored or deflated");
  Zip bomb{true, false, {}, {}};
  bomb.add("x.npy", std::string(1 << 20, 'a'));
  std::string bytes = bomb.bytes();
  const std::size_t entry = bytes.find("PK\x01\x02");
  bytes.replace(entry + 24, 4, little(10, 4));
  const File small(bytes);
  CHECK(small.error().starts_with(small.path + ": 'x.npy' is damaged"));
  const File empty("no archive");
  CHECK(empty.error() == empty.path + ": is no whole ZIP archive: its end record is missing");
}
