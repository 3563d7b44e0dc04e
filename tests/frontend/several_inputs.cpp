// Artifacts with several inputs and outputs, in the commands that read artifacts.

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "ir/text.h"
#include "runtime/artifact.h"
#include "runtime/npy.h"
#include "tests/frontend/process.h"
#include "tests/frontend/small_experiment.h"

using namespace stair;
using tests::Outcome;
using tests::run_stair;
using tests::TemporaryFolder;

namespace {

constexpr const char* pair = R"(sir 1
graph "pair"
%image = input : f32[1,2]
%depth = input : f32[1,3]
%both = concat(%image, %depth) : f32[1,5]
%positive = relu(%image) : f32[1,2]
output all = %both
output some = %positive
)";

runtime::Tensor bytes(const ir::Shape& shape) {
  runtime::Tensor tensor({ir::DType::u8, shape});
  for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 51);
  return tensor;
}

runtime::Tensor floats(const ir::Shape& shape) {
  runtime::Tensor tensor({ir::DType::f32, shape});
  for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<float>()[i] = static_cast<float>(i) - 2;
  return tensor;
}

// pair.stair, whose image is of bytes and whose depth is of floats, and three examples of each.
void write_pair(const TemporaryFolder& folder) {
  runtime::Artifact artifact;
  artifact.graph = ir::parse(pair, "pair");
  artifact.inputs = {{{{0.5}, {0.25, 0.5}}, {"u8"}}, {{{1}, {}}, {"f32"}}};
  runtime::save_artifact(artifact, folder / "pair.stair");
  runtime::write_npy(bytes({3, 2}).view(), folder / "image.npy");
  runtime::write_npy(floats({3, 3}).view(), folder / "depth.npy");
  runtime::write_npy(floats({2, 3}).view(), folder / "two.npy");
}

std::vector<float> read_floats(const std::string& path, const ir::Shape& shape) {
  const runtime::Tensor read = runtime::read_npy(path);
  REQUIRE(read.type() == ir::Type{ir::DType::f32, shape});
  return {read.as<float>(), read.as<float>() + read.count()};
}

const std::vector<std::string> run_pair{"run", "pair.stair", "--input", "image=image.npy", "--input", "depth=depth.npy"};

}  // namespace

TEST_CASE("stair run feeds every input by its name, each by its own preprocessing, and writes every output") {
  const TemporaryFolder folder;
  write_pair(folder);
  std::vector<float> all;
  std::vector<float> some;
  for (int row = 0; row < 3; ++row) {
    for (int c = 0; c < 2; ++c) {
      const float x = (static_cast<float>((2 * row + c) * 51) / 255.0F - 0.5F) / (c == 0 ? 0.25F : 0.5F);
      all.push_back(x);
      some.push_back(std::max(x, 0.0F));
    }
    for (int c = 0; c < 3; ++c) all.push_back(static_cast<float>(3 * row + c) - 2 - 1);
  }
  std::vector<std::string> words = run_pair;
  words.insert(words.end(), {"--output", "all=all.npy", "--output", "some=some.npy", "--threads", "1"});
  Outcome outcome = run_stair(words, folder.path());
  CHECK(outcome.err == "");
  CHECK(outcome.out == "all.npy: f32[3,5]\nsome.npy: f32[3,2]\n");
  CHECK(read_floats(folder / "all.npy", {3, 5}) == all);
  CHECK(read_floats(folder / "some.npy", {3, 2}) == some);

  words = {"run", "--output", "some=alone.npy", "--input", "depth=depth.npy", "--input", "image=image.npy", "pair.stair"};
  outcome = run_stair(words, folder.path());
  CHECK(outcome.out == "alone.npy: f32[3,2]\n");
  CHECK(folder.read("alone.npy") == folder.read("some.npy"));

  outcome = run_stair(run_pair, folder.path());
  CHECK(outcome.code == 0);
  CHECK(outcome.out.starts_with("image 0: all: class 1  [-2, -0.6, -3, -2, -1]\nimage 0: some: class 0  [0, 0]\nimage 1: all: class "));

  // As the graph takes them.
  runtime::write_npy(floats({3, 2}).view(), folder / "raw.npy");
  words = {"run", "pair.stair", "--raw", "--input", "image=raw.npy", "--input", "depth=depth.npy", "--output", "some=raw.some.npy"};
  REQUIRE(run_stair(words, folder.path()).code == 0);
  CHECK(read_floats(folder / "raw.some.npy", {3, 2}) == std::vector<float>{0, 0, 0, 1, 2, 3});
}

TEST_CASE("files of inputs and outputs that there aren't, or that don't go together, are told in one line") {
  const TemporaryFolder folder;
  write_pair(folder);
  const auto says = [&](const std::vector<std::string>& more, const std::string& line) {
    std::vector<std::string> words{"run", "pair.stair"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = run_stair(words, folder.path());
    CHECK(outcome.code == 2);
    CHECK(outcome.err == "stair: " + line + "\n");
  };
  const std::vector<std::string> both{"--input", "image=image.npy", "--input", "depth=depth.npy"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = both;
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  says({"--input", "image=image.npy"}, "pair.stair: its input 'depth' is missing, expected --input depth=FILE");
  says({"--input", "two.npy"}, "--input two.npy: expected NAME=FILE, of 'image' or 'depth'");
  says({"--input", "imgae=image.npy"}, "--input imgae=image.npy: expected NAME=FILE, of 'image' or 'depth' (did you mean 'image'?)");
  says(with({"--input", "image=two.npy"}), "--input image=two.npy: 'image' has a file already");
  says({"--input", "image=image.npy", "--input", "depth=two.npy"}, "two.npy: holds 2 examples, image.npy holds 3");
  says({"--input", "image=image.npy", "--input", "depth=image.npy"}, "image.npy: holds u8[3,2], the model expects [3] or a batch of them");
  says({"--input", "image=depth.npy", "--input", "depth=depth.npy"}, "depth.npy: holds f32[3,3], the model expects [2] or a batch of them");
  says(with({"--output", "y.npy"}), "--output y.npy: expected NAME=FILE, of 'all' or 'some'");
  says(with({"--output", "logits=y.npy"}), "--output logits=y.npy: expected NAME=FILE, of 'all' or 'some'");
  says(with({"--output", "all=y.npy", "--output", "some=y.npy"}), "--output some=y.npy: another output is written there");
  CHECK_FALSE(folder.files().contains("y.npy"));
}

TEST_CASE("inspect and bench take an artifact of several inputs and outputs; what has one picture an example is no data for it") {
  const TemporaryFolder folder;
  write_pair(folder);
  const Outcome shown = run_stair({"inspect", "pair.stair"}, folder.path());
  CHECK(shown.code == 0);
  CHECK(shown.out.starts_with(
      "arithmetic version 2\ninput image: images u8, mean [0.5], std [0.25, 0.5]\ninput depth: images f32, mean [1], std 1\nrecipe "));
  CHECK(run_stair({"bench", "pair.stair", "--runs", "1", "--batch", "3"}, folder.path()).code == 0);

  tests::write_experiment(folder);
  ir::Json experiment = tests::small_experiment();
  experiment["stages"] = ir::Json::parse(R"([{"kind": "qat", "epochs": 1, "optimizer": {"learning_rate": 0.02}}])");
  folder.write("exp.json", experiment.dump());
  REQUIRE(run_stair({"train", "exp.json", "--run", "run", "--quiet"}, folder.path()).code == 0);
  CHECK(
      run_stair({"eval", "pair.stair", "--data", "exp.json"}, folder.path()).err ==
      "stair: exp.json /data: data of the format 'idx': an example is one picture, and the model has the inputs 'image', 'depth', expected "
      "the format 'csv', 'npy' or 'npz'\n");
  CHECK(run_stair({"verify", "run", "pair.stair"}, folder.path()).err ==
        "stair: pair.stair and run: are of models with other inputs: 'image', 'depth', and 'x'\n");
}

// NAME.stair with NAME.INPUT.npy and what came out, NAME.OUTPUT.npy. "pair", with its codebooks, was made by hand from the pages.
TEST_CASE("files of version 2 of the format keep their bits on every backend") {
  const std::string files = std::string(STAIR_SOURCE_DIR) + "/tests/artifacts/v2/";
  const TemporaryFolder folder;
  int outputs = 0;
  for (const std::string name : {"pair", "pictures"}) {
    const runtime::Artifact artifact = runtime::load_artifact(files + name + ".stair");
    for (const backends::Backend* backend : backends::all()) {
      CAPTURE(name);
      const std::string chosen(backend->name());
      std::vector<std::string> words{"run", files + name + ".stair", "--backend", chosen + (chosen == "reference" ? "" : ",reference")};
      for (const ir::ValueId input : artifact.graph.inputs()) {
        const std::string& its_name = artifact.graph.value(input).name;
        words.insert(words.end(), {"--input", its_name + "=" + files + name + "." + its_name + ".npy"});
      }
      for (const ir::Output& output : artifact.graph.outputs())
        words.insert(words.end(), {"--output", output.name + "=" + output.name + ".npy"});
      const Outcome outcome = run_stair(words, folder.path());
      REQUIRE(outcome.err == "");
      for (const ir::Output& output : artifact.graph.outputs()) {
        const runtime::Tensor expected = runtime::read_npy(files + name + "." + output.name + ".npy");
        const runtime::Tensor found = runtime::read_npy(folder / (output.name + ".npy"));
        REQUIRE(found.type() == expected.type());
        CHECK(std::equal(found.as<char>(), found.as<char>() + found.bytes(), expected.as<char>()));
        ++outputs;
      }
    }
  }
  CHECK(outputs >= 9);
}

TEST_CASE("the only input and output may be named, or not") {
  const TemporaryFolder folder;
  runtime::Artifact artifact;
  artifact.graph = ir::parse("sir 1\ngraph \"g\"\n%x = input : f32[1,2]\n%y = relu(%x)\noutput logits = %y\n", "g");
  artifact.inputs.resize(1);
  runtime::save_artifact(artifact, folder / "g.stair");
  for (const char* name : {"x.npy", "z=1.npy"}) runtime::write_npy(floats({1, 2}).view(), folder / name);
  for (const char* input : {"x.npy", "x=x.npy", "z=1.npy", "x=z=1.npy"}) {
    CAPTURE(input);
    for (const char* output : {"a=1.npy", "logits=a=1.npy"}) {
      const Outcome outcome = run_stair({"run", "g.stair", "--input", input, "--output", output}, folder.path());
      CHECK(outcome.err == "");
      CHECK(outcome.out == "a=1.npy: f32[1,2]\n");
    }
  }
  CHECK(run_stair({"run", "g.stair", "--input", "x.npy"}, folder.path()).out == "image 0: class 0  [0, 0]\n");
}
