#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/frontend/process.h"
#include "tests/same/compare.h"

// What tests/same.sh says two programs differ in: each change is found, in its place, and what is measured is none.

using namespace stair;
using nlohmann::json;

namespace {

struct SavedFile {
  std::string weight = std::string("\0\0\x80\x3f\0\0\0\x40", 8);  // 1 and 2
  json metadata = {
      {"version", "1"}, {"crc32", "00000000"}, {"graph", "sir 1\ngraph \"m\"\n"}, {"recipe", R"({"bits": 8, "bias": "int32"})"},
      {"step", "3"},    {"mean", "[0.5]"}};
  json type = {{"dtype", "F32"}, {"shape", {2}}, {"data_offsets", {0, 8}}};

  std::string bytes() const {
    const std::string header = json{{"__metadata__", metadata}, {"w", type}}.dump();
    const std::uint64_t length = header.size();
    std::string prefix(sizeof length, '\0');
    std::memcpy(prefix.data(), &length, sizeof length);
    return prefix + header + weight;
  }
};

// "KIND PLACE: DIFFERENCE" of what isn't the same, a line each.
std::string differences_of(const std::string& name, const std::string& ours, const std::string& theirs) {
  const tests::TemporaryFolder one;
  const tests::TemporaryFolder other;
  one.write(name, ours);
  other.write(name, theirs);
  std::string lines;
  for (const tests::Comparison& made : tests::compare_folders(one.path(), other.path())) {
    if (!made.difference.empty()) lines += made.kind + " " + made.place + ": " + made.difference + "\n";
  }
  return lines;
}

template <class Change>
std::string found_after(const Change& change) {
  SavedFile changed;
  change(changed);
  return differences_of("qat.stair", changed.bytes(), SavedFile().bytes());
}

}  // namespace

TEST_CASE("what differs between two checkpoints or artifacts is found") {
  CHECK(found_after([](SavedFile&) {}).empty());
  CHECK(found_after([](SavedFile& file) { file.metadata["crc32"] = "12345678"; }).empty());
  CHECK(found_after([](SavedFile& file) { file.metadata["recipe"] = R"({"bias": "int32", "bits": 8})"; }).empty());
  CHECK(found_after([](SavedFile& file) { file.weight[4] = '\1'; }) ==
        "tensors qat.stair: tensor 'w': F32[2] element 1: 2.00000024, theirs 2\n");
  CHECK(found_after([](SavedFile& file) { file.type["shape"] = {1, 2}; }) == "tensors qat.stair: tensor 'w': F32[1,2], theirs F32[2]\n");
  CHECK(found_after([](SavedFile& file) { file.metadata["graph"] = "sir 1\ngraph \"n\"\n"; }) ==
        "graph qat.stair graph: line 2: 'graph \"n\"', theirs 'graph \"m\"'\n");
  CHECK(found_after([](SavedFile& file) { file.metadata["recipe"] = R"({"bits": 7, "bias": "int32"})"; }) ==
        "recipe qat.stair recipe: /bits: 7, theirs 8\n");
  CHECK(found_after([](SavedFile& file) { file.metadata["step"] = "4"; }) == "metadata qat.stair: step /: 4, theirs 3\n");
  CHECK(found_after([](SavedFile& file) { file.metadata.erase("graph"); }) == "metadata qat.stair: graph: nothing, theirs a text\n");
  CHECK(found_after([](SavedFile& file) { file.metadata["more"] = "1"; }) == "metadata qat.stair: more: a text, theirs nothing\n");
  CHECK(found_after([](SavedFile& file) { file.metadata["more"] = file.metadata["version"] = "2"; }).empty());
  // Of version 2, which says of each input what version 1 said of the only one.
  const auto found_of_inputs = [](const std::string& inputs) {
    return found_after([&](SavedFile& file) {
      file.metadata["version"] = "2";
      file.metadata.erase("mean");
      file.metadata["inputs"] = inputs;
    });
  };
  CHECK(found_of_inputs(R"({"x": {"preprocessing": {"kind": "normalize", "mean": [0.5], "std": []}}})").empty());
  CHECK(found_of_inputs(R"({"x": {"preprocessing": {"kind": "normalize", "mean": [0.25], "std": []}}})") ==
        "metadata qat.stair: mean /0: 0.25, theirs 0.5\n");
  CHECK(found_of_inputs(R"({"x": {"preprocessing": {"kind": "resize"}}})") == "metadata qat.stair: mean: nothing, theirs a text\n");
  CHECK(differences_of("qat.stair", "damaged", SavedFile().bytes()) == "files qat.stair: no safetensors file, theirs a safetensors file\n");
}

TEST_CASE("what differs between the other files of two runs is found") {
  const std::string epoch = R"({"epoch": 1, "loss": 2.5, "seconds": 1.5, "images_per_s": 100})";
  CHECK(differences_of("metrics.jsonl", epoch + "\n",
                       R"({"loss": 2.5, "epoch": 1, "seconds": 9, "images_per_s": 1})"
                       "\n")
            .empty());
  CHECK(differences_of("metrics.jsonl", epoch + "\n" + R"({"loss": 2.5})" + "\n", epoch + "\n" + R"({"loss": 2.25})" + "\n") ==
        "metrics metrics.jsonl: line 2 /loss: 2.5, theirs 2.25\n");
  CHECK(differences_of("metrics.jsonl", epoch + "\n", epoch + "\n" + epoch + "\n") == "metrics metrics.jsonl: 1 lines, theirs 2\n");
  const std::string summary = R"({"recipe": {"bits": 8}, "stages": [{"test_accuracy": 0.5, "peak_mib": 7}], "seconds": 3})";
  CHECK(differences_of("summary.json", summary, R"({"recipe": {"bits": 4}, "stages": [{"test_accuracy": 0.25, "peak_mib": 9}]})") ==
        "recipe summary.json /recipe: /bits: 8, theirs 4\nresults summary.json: /stages/0/test_accuracy: 0.5, theirs 0.25\n");
  CHECK(differences_of("config.json", R"({"batch": 4})", R"({"batch": 4, "seed": 1})") ==
        "experiment config.json: /seed: nothing, theirs 1\n");
  CHECK(differences_of("opt.out", "a\nb\n", "a\nc\n") == "text opt.out: line 2: 'b', theirs 'c'\n");
  CHECK(differences_of("opt.out", "a\n", "a\nc\n") == "text opt.out: line 2: the end, theirs 'c'\n");
  CHECK(differences_of("y.npy", "1", "2") == "bytes y.npy: other bytes\n");
  CHECK(differences_of("qat.training.txt", "1", "2").empty());

  const tests::TemporaryFolder one;
  const tests::TemporaryFolder other;
  other.write("qat.stair", SavedFile().bytes());
  REQUIRE(tests::compare_folders(one.path(), other.path()).size() == 1);
  CHECK(tests::compare_folders(one.path(), other.path()).front().difference == "nothing, theirs a file");
}
