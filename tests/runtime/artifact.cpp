#include "runtime/artifact.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "frontend/compile.h"
#include "ir/text.h"
#include "runtime/checkpoint.h"
#include "runtime/packing.h"
#include "runtime/safetensors.h"
#include "tests/runtime/support.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

using namespace stair;
using runtime::Artifact;
using tests::error_of;

namespace {

constexpr const char* tiny_graph = R"(sir 1
graph "tiny"
%x = input : f32[1,3]
%binary = state constant external {bits=1} : s8[3]
%scale = state constant external : f32[2]
%weight = state constant external {bits=2} : s8[3,3]
%y = relu(%x) : f32[1,3]
output logits = %y
)";

constexpr const char* two_inputs = R"(sir 1
graph "two"
%x = input : f32[1,2]
%"the/other \"one\"" = input : f32[1,3]
output a = %x
output b = %"the/other \"one\""
)";

Artifact tiny_artifact() {
  Artifact artifact;
  artifact.graph = ir::parse(tiny_graph, "tiny");
  artifact.recipe = R"({"name": "mine"})";
  artifact.inputs = {{{{0.1, 0.2, 0.3}, {0.5}}, {"f32"}}};
  artifact.constants.emplace("scale", tests::random_images({ir::DType::f32, {2}}, 1));
  runtime::Tensor binary({ir::DType::s8, {3}});
  runtime::Tensor weight({ir::DType::s8, {3, 3}});
  for (std::int64_t i = 0; i < 3; ++i) binary.as<std::int8_t>()[i] = i == 1 ? -1 : 1;
  for (std::int64_t i = 0; i < 9; ++i) weight.as<std::int8_t>()[i] = static_cast<std::int8_t>(i % 4 - 2);
  artifact.constants.emplace("binary", std::move(binary));
  artifact.constants.emplace("weight", std::move(weight));
  return artifact;
}

void check_same(const Artifact& found, const Artifact& expected) {
  CHECK(ir::print(found.graph) == ir::print(expected.graph));
  CHECK(tests::differing(found.constants, expected.constants) == "");
  CHECK(found.recipe == expected.recipe);
  REQUIRE(found.inputs.size() == expected.inputs.size());
  for (std::size_t i = 0; i < found.inputs.size(); ++i) {
    CHECK(found.inputs[i].normalization.mean == expected.inputs[i].normalization.mean);
    CHECK(found.inputs[i].normalization.std == expected.inputs[i].normalization.std);
    CHECK(found.inputs[i].images.element == expected.inputs[i].images.element);
    CHECK(found.inputs[i].images.shorter_side == expected.inputs[i].images.shorter_side);
  }
}

std::string artifact_error(const std::string& path) {
  return error_of([&] { runtime::load_artifact(path); });
}

// The error of the tiny artifact's file after a change, with a checksum that fits.
std::string error_after(const std::string& path, const std::function<void(runtime::Safetensors&)>& change, int version = 2) {
  runtime::save_artifact(tiny_artifact(), path);
  runtime::Safetensors contents = runtime::from_safetensors(tests::get(path), path, "staircase artifact", 2);
  for (const char* key : {"format", "version", "crc32"}) contents.metadata.erase(key);
  if (version == 1) {
    contents.metadata.erase("inputs");
    contents.metadata["images"] = "f32";
    contents.metadata["mean"] = "[0.1,0.2,0.3]";
    contents.metadata["std"] = "[0.5]";
  }
  change(contents);
  tests::put(path, runtime::to_safetensors(contents, "staircase artifact", version));
  return artifact_error(path);
}

std::string recipe_of_bits(int bits) {
  return R"({"weights": {"bits": )" + std::to_string(bits) + "}}";
}

// The artifact of a trained network, checked to come back and to compute the same from there. Returns its size.
std::size_t check_deployment(tests::QuantizedRun& run, const std::string& path) {
  Artifact artifact;
  artifact.graph = run.deployment.graph;
  artifact.constants = tests::cloned(run.deployment.constants);
  artifact.inputs.resize(1);
  const std::size_t size = runtime::save_artifact(artifact, path);
  CHECK(size == tests::get(path).size());
  Artifact loaded = runtime::load_artifact(path);
  check_same(loaded, artifact);
  runtime::Executor before = frontend::executor_for(artifact.graph, artifact.constants, {});
  runtime::Executor after = frontend::executor_for(loaded.graph, loaded.constants, {});
  const runtime::Tensor image = tests::random_images(artifact.graph.type(artifact.graph.inputs().front()), 3);
  const std::vector<ir::TensorView> inputs{image.view()};
  before.run(inputs);
  after.run(inputs);
  const std::string logits = artifact.graph.outputs().front().name;
  CHECK(tests::same_bytes(before.output(logits), after.output(logits)));
  return size;
}

}  // namespace

TEST_CASE("integers of every width survive packing, signed and unsigned, in odd counts") {
  for (const ir::DType dtype : {ir::DType::s8, ir::DType::u8}) {
    for (int bits = 1; bits <= 8; ++bits) {
      std::vector<int> values;
      for (int v = 0; v < 1 << bits; ++v) values.push_back(dtype == ir::DType::u8 ? v : v - (1 << (bits - 1)));
      if (dtype == ir::DType::s8 && bits == 1) values = {-1, 1};
      for (std::size_t count = 1; count <= 2 * values.size() + 5; count += 1 + count / 20) {
        CAPTURE(bits);
        CAPTURE(count);
        runtime::Tensor tensor({dtype, {static_cast<std::int64_t>(count)}});
        for (std::size_t i = 0; i < count; ++i) tensor.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(values[i * 7 % values.size()]);
        const std::string packed = runtime::pack_integers(tensor.view(), bits);
        CHECK(packed.size() == (count * static_cast<std::size_t>(bits) + 7) / 8);
        const std::size_t used = count * static_cast<std::size_t>(bits) % 8;
        if (used != 0) CHECK((static_cast<unsigned char>(packed.back()) >> used) == 0);
        runtime::Tensor unpacked(tensor.type());
        runtime::unpack_integers(packed, bits, unpacked.view());
        CHECK(tests::same_bytes(unpacked.view(), tensor.view()));
      }
    }
  }
}

TEST_CASE("integers are packed from the lowest bit on") {
  const auto packed = [](std::vector<int> values, int bits) {
    runtime::Tensor tensor({ir::DType::s8, {static_cast<std::int64_t>(values.size())}});
    for (std::size_t i = 0; i < values.size(); ++i) tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(values[i]);
    return runtime::pack_integers(tensor.view(), bits);
  };
  CHECK(packed({1, -1, 3, -4, 2}, 3) == "\xf9\x28");  // the example of docs/format-artifact.md
  CHECK(packed({1, -1, -1, 1, 1, 1, 1, 1, 1}, 1) == "\xf9\x01");
  CHECK(packed({5, -2}, 4) == "\xe5");
  CHECK(packed({-128, 127}, 8) == "\x80\x7f");
}

TEST_CASE("packed integers of the wrong length are refused") {
  const runtime::Tensor tensor({ir::DType::s8, {3, 3}});
  CHECK(error_of([&] { runtime::unpack_integers("12", 2, tensor.view()); }) == "2 bytes of 2-bit integers, expected 3 for s8[3,3]");
  CHECK(error_of([&] { runtime::unpack_integers("1234", 2, tensor.view()); }) == "4 bytes of 2-bit integers, expected 3 for s8[3,3]");
}

TEST_CASE("an artifact comes back as it was saved") {
  const tests::TemporaryFolder folder;
  Artifact artifact = tiny_artifact();
  const std::size_t size = runtime::save_artifact(artifact, folder / "a");
  CHECK(size == tests::get(folder / "a").size());
  check_same(runtime::load_artifact(folder / "a"), artifact);
  artifact.inputs = {{}};
  runtime::save_artifact(artifact, folder / "a");
  check_same(runtime::load_artifact(folder / "a"), artifact);
  artifact = {};
  artifact.graph = ir::parse(two_inputs, "two");
  artifact.inputs = {{{{0.5}, {0.25, 2}}, {"u8"}}, {{{0.1}, {}}, {""}}};
  runtime::save_artifact(artifact, folder / "a");
  check_same(runtime::load_artifact(folder / "a"), artifact);
}

TEST_CASE("integers that don't fit their width are stored as they are") {
  const tests::TemporaryFolder folder;
  Artifact artifact = tiny_artifact();
  artifact.constants.find("binary")->second.as<std::int8_t>()[0] = 0;
  artifact.constants.find("weight")->second.as<std::int8_t>()[0] = 5;
  runtime::save_artifact(artifact, folder / "a");
  check_same(runtime::load_artifact(folder / "a"), artifact);
}

TEST_CASE("an artifact that is missing, cut off or changed is an error that names it") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a";
  CHECK(artifact_error(path) == path + ": can't be opened: No such file or directory");
  runtime::save_artifact(tiny_artifact(), path);
  const std::string bytes = tests::get(path);
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 100) {
    CAPTURE(length);
    tests::put(path, bytes.substr(0, length));
    CHECK(artifact_error(path).starts_with(path + ": "));
  }
  // A sample; that every byte counts is the test of safetensors.
  for (std::size_t at = 0; at < bytes.size(); at += 5) {
    CAPTURE(at);
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 7));
    tests::put(path, damaged);
    CHECK(artifact_error(path).starts_with(path + ": "));
  }
  tests::put(path, bytes + "12");
  CHECK(artifact_error(path) == path + ": has 2 bytes behind its tensors, expected none");
}

TEST_CASE("what a file of the right format may still lack is named") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a";
  CHECK(error_after(path, [](runtime::Safetensors& c) { c.tensors.erase("scale"); }) == path + ": tensor 'scale' is missing");
  const auto put_bytes = [](const char* name, const ir::Type& type) {
    return [name, type](runtime::Safetensors& c) { c.tensors.insert_or_assign(name, runtime::Tensor(type)); };
  };
  CHECK(error_after(path, put_bytes("scale", {ir::DType::i32, {2}})) == path + ": tensor 'scale' is i32[2], its graph expects f32[2]");
  CHECK(error_after(path, put_bytes("weight", {ir::DType::u8, {4}})) ==
        path + ": tensor 'weight' has 4 bytes of 2-bit integers, expected 3 for s8[3,3]");
  const auto mean_error = [&](const std::string& list) {
    return error_after(
        path, [&](runtime::Safetensors& c) { c.metadata["mean"] = list; }, 1);
  };
  CHECK(mean_error("0.5") == path + " (metadata) /mean: found 0.5, expected a list of numbers");
  CHECK(mean_error("{\"a\":1}") == path + " (metadata) /mean: found an object, expected a list of numbers");
  CHECK(mean_error("[1,\"x\"]") == path + " (metadata) /mean/1: found \"x\", expected a number");
  CHECK(mean_error("[1,2]") == path + " (metadata) /mean: found 2 numbers, expected 1 or 3, one a channel");
  for (const std::string list : {"[1", ""}) CHECK(mean_error(list).starts_with(path + " (metadata) /mean:1:"));
  CHECK(error_after(
            path, [](runtime::Safetensors& c) { c.metadata.erase("graph"); }, 1)
            .starts_with(path + " (graph):1:1: "));
  CHECK(error_after(path, [](runtime::Safetensors& c) { c.metadata.erase("graph"); }) ==
        path + " (metadata) /: the key 'graph' is missing, expected a text (what is deployed)");
  CHECK(error_after(path, [](runtime::Safetensors& c) { c.metadata["graph"] = "sir 99\n"; }).starts_with(path + " (graph):1:"));
}

TEST_CASE("the metadata of version 2 are read as their page says, or refused at their place") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a";
  const auto error = [&](const char* key, const std::string& value) {
    std::string said = error_after(path, [&](runtime::Safetensors& c) { c.metadata[key] = value; });
    const std::string place = path + " (metadata) ";
    return said.starts_with(place) ? said.substr(place.size()) : said;
  };
  const auto without = [&](const char* key) { return error_after(path, [&](runtime::Safetensors& c) { c.metadata.erase(key); }); };
  CHECK(without("recipe") == "no error");
  CHECK(without("arithmetic") == path + " (metadata) /: the key 'arithmetic' is missing, expected a text (the version of the arithmetic)");
  CHECK(without("inputs") == path + " (metadata) /: the key 'inputs' is missing, expected a text (JSON: how each is made)");
  CHECK(error("inptus", "{}").starts_with("/inptus: unknown key 'inptus' (did you mean 'inputs'?), expected 'format', 'version', "));
  CHECK(error("mean", "[]").starts_with("/mean: unknown key 'mean', expected "));
  CHECK(error("inputs", "{").starts_with("/inputs:1:"));
  CHECK(error("inputs", "[]") == "/inputs: found a list, expected an object");
  CHECK(error("inputs", "{}") == "/inputs: the key 'x' is missing, expected an object (how it is made)");
  CHECK(error("inputs", R"({"depth": {}})") == "/inputs/depth: unknown key 'depth', expected 'x'");
  CHECK(error("inputs", R"({"x": {"preprocessing": {"kind": "normalize"}}, "x": {}})").starts_with("/inputs: "));
  CHECK(error("inputs", R"({"x": 3})") == "/inputs/x: found 3, expected an object");
  CHECK(error("inputs", R"({"x": {}})") == "/inputs/x: the key 'preprocessing' is missing, expected an object (what is done to it)");
  const auto input = [&](const std::string& keys) { return error("inputs", R"({"x": {)" + keys + "}}"); };
  const std::string plain = R"("preprocessing": {"kind": "normalize"})";
  CHECK(input(plain) == "no error");
  CHECK(input(R"("element": "u9", )" + plain) == "/inputs/x/element: found \"u9\" (did you mean 'u8'?), expected 'u8', 'f32' or 'i32'");
  CHECK(input(R"("element": 8, )" + plain) == "/inputs/x/element: found 8, expected 'u8', 'f32' or 'i32'");
  CHECK(input(R"("elements": "u8", )" + plain) ==
        "/inputs/x/elements: unknown key 'elements' (did you mean 'element'?), expected 'element', 'shorter_side' or 'preprocessing'");
  CHECK(input(R"("shorter_side": 8, )" + plain).starts_with("/inputs/x/shorter_side: found 8, expected pictures, and at least "));
  CHECK(input(R"("shorter_side": 0, )" + plain).starts_with("/inputs/x/shorter_side: found 0, "));
  const auto preprocessing = [&](const std::string& keys) { return input(R"("preprocessing": )" + keys); };
  const std::string at = "/inputs/x/preprocessing";
  CHECK(preprocessing("\"normalize\"") == at + ": found \"normalize\", expected an object");
  CHECK(preprocessing("{}") == at + ": the key 'kind' is missing");
  CHECK(preprocessing(R"({"kind": "resize"})") == at + "/kind: found \"resize\", expected 'normalize'");
  CHECK(preprocessing(R"({"kind": "normalise"})") == at + "/kind: found \"normalise\" (did you mean 'normalize'?), expected 'normalize'");
  CHECK(preprocessing(R"({"kind": "normalize", "maen": []})").starts_with(at + "/maen: unknown key 'maen' (did you mean 'mean'?)"));
  CHECK(preprocessing(R"({"kind": "normalize", "mean": 1})") == at + "/mean: found 1, expected a list of numbers");
  CHECK(preprocessing(R"({"kind": "normalize", "mean": [0, "1"]})") == at + "/mean/1: found \"1\", expected a number");
  CHECK(preprocessing(R"({"kind": "normalize", "mean": [0, 1]})") == at + "/mean: found 2 numbers, expected 1 or 3, one a channel");
  CHECK(preprocessing(R"({"kind": "normalize", "std": [0]})") == at + "/std/0: found 0, expected a finite number above 0 in binary32");
  CHECK(preprocessing(R"({"kind": "normalize", "std": [1e39]})").starts_with(at + "/std/0: found 1e"));
}

TEST_CASE("integers are stored where they stand in a codebook") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a";
  const auto artifact_of = [](const std::string& attributes, const ir::Type& type, const std::vector<int>& values) {
    Artifact artifact;
    artifact.graph = ir::parse("sir 1\ngraph \"g\"\n%x = input : f32[1,3]\n%w = state constant external " + attributes + " : " +
                                   to_string(type) + "\noutput y = %x\n",
                               "g");
    artifact.inputs.resize(1);
    runtime::Tensor w(type);
    for (std::size_t i = 0; i < values.size(); ++i) w.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(values[i]);
    artifact.constants.emplace("w", std::move(w));
    return artifact;
  };
  const auto stored = [&](const Artifact& artifact) {
    runtime::save_artifact(artifact, path);
    check_same(runtime::load_artifact(path), artifact);
    const runtime::Safetensors file = runtime::from_safetensors(tests::get(path), path, "staircase artifact", 2);
    const runtime::Tensor& w = file.tensors.find("w")->second;
    return to_string(w.type()) + " " + std::string(w.as<const char>(), w.bytes());
  };
  const ir::Type five{ir::DType::s8, {5}};
  // The example of docs/format-artifact.md.
  CHECK(stored(artifact_of("{bits=2, levels=[-1,0,1]}", five, {1, -1, 0, 0, 1})) == "u8[2] \x52\x02");
  CHECK(stored(artifact_of("{bits=3, levels=[-128,-3,0,1,100,127]}", five, {-128, 127, 100, -3, 0})) == "u8[2] \x28\x23");
  // An integer that is no level, and what could be taken for what isn't packed, are stored as they are.
  CHECK(stored(artifact_of("{bits=2, levels=[-1,0,1]}", five, {1, -1, 0, 7, 1})) == std::string("s8[5] \1\xff\0\7\1", 11));
  CHECK(stored(artifact_of("{bits=7, levels=[3,200]}", {ir::DType::u8, {2}}, {200, 3})) == "u8[2] \xc8\x03");
  CHECK(stored(artifact_of("{bits=7}", {ir::DType::u8, {2}}, {100, 3})) == "u8[2] d\x03");
  CHECK(stored(artifact_of("{bits=1, levels=[3,200]}", {ir::DType::u8, {1, 9}}, {200, 3, 3, 3, 200, 3, 3, 3, 200})) == "u8[2] \x11\x01");

  const auto error = [&](const std::string& attributes, const ir::Type& type) {
    Artifact artifact = artifact_of("", type, {});
    runtime::save_artifact(artifact, path);
    runtime::Safetensors contents = runtime::from_safetensors(tests::get(path), path, "staircase artifact", 2);
    std::string& graph = contents.metadata["graph"];
    graph.insert(graph.find(" : ", graph.find("%w")), " " + attributes);
    runtime::Tensor indices({ir::DType::u8, {2}});
    indices.as<std::uint8_t>()[0] = 0x1b;  // of 2 bits: 3, 2, 1, 0
    contents.tensors.insert_or_assign("w", std::move(indices));
    for (const char* key : {"format", "version", "crc32"}) contents.metadata.erase(key);
    tests::put(path, runtime::to_safetensors(contents, "staircase artifact", 2));
    const std::string said = artifact_error(path);
    return said.starts_with(path) ? said.substr(path.size()) : said;
  };
  CHECK(error("{bits=2, levels=[-1,0,1,5]}", five) == "no error");
  CHECK(error("{bits=2, levels=[-1,0,1]}", five) == ": tensor 'w' has index 3 at element 0, expected less than 3 (levels)");
  CHECK(error("{bits=3, levels=[0,1]}", {ir::DType::s8, {6}}) == ": tensor 'w' has 2 bytes of 3-bit integers, expected 3 for s8[6]");
  const std::string state = " (graph): state 'w' s8[5] has levels=";
  CHECK(error("{bits=2, levels=[]}", five) == state + "[], expected 1 to 4 integers from -128 to 127, ascending");
  CHECK(error("{bits=2, levels=[0,1,2,3,4]}", five) == state + "[0,1,2,3,4], expected 1 to 4 integers from -128 to 127, ascending");
  for (const std::string levels : {"[1,0]", "[1,1]", "[-129,0]", "[0,128]", "[0,9223372036854775807]"}) {
    CHECK(error("{bits=2, levels=" + levels + "}", five) == state + levels + ", expected 1 to 4 integers from -128 to 127, ascending");
  }
  CHECK(error("{levels=[0,1]}", five) == state + "[0,1], expected none without bits from 1 to 7");
  CHECK(error("{bits=8, levels=[0,1]}", five) == state + "[0,1], expected none without bits from 1 to 7");
  CHECK(error("{levels=[0,1]}", {ir::DType::f32, {5}}) ==
        " (graph): state 'w' f32[5] has levels=[0,1], expected none without bits from 1 to 7");
  CHECK(error("{bits=2, levels=[0.5,1]}", five).find("state 'w': attribute 'levels' is a list of numbers, expected a list of integers") !=
        std::string::npos);
  CHECK(error("{bits=2, level=[0]}", five).find("state 'w': unknown attribute 'level' (did you mean 'levels'?)") != std::string::npos);
}

TEST_CASE("a checkpoint is no artifact, and neither is a newer one") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "a";
  runtime::save_checkpoint({}, path);
  CHECK(artifact_error(path) == path + ": is a staircase checkpoint, expected a staircase artifact");
  tests::put(path, runtime::to_safetensors({}, "staircase artifact", 10));
  CHECK(artifact_error(path) == path + ": is a staircase artifact of version 10, this program reads versions 1 to 2");
}

TEST_CASE("a deployed network survives its artifact, and fewer bits make a smaller one") {
  const tests::TemporaryFolder folder;
  const std::string path = folder / "net.stair";
  std::vector<std::size_t> sizes;
  for (const int bits : {2, 3, 4, 5, 6, 7, 8}) {
    CAPTURE(bits);
    tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(4), recipe_of_bits(bits), 2);
    sizes.push_back(check_deployment(run, path));
  }
  CHECK(std::is_sorted(sizes.begin(), sizes.end()));
  const auto weights = static_cast<std::size_t>(6 * 25 + 9 * 6 * 9 + 9 * 9 * 20 + 20 * 10);
  CHECK(sizes.back() - sizes.front() > weights * 6 / 8 - 200);
}

TEST_CASE("full-range and binary weights survive an artifact, also where batch-norm factors are negative or zero") {
  const tests::TemporaryFolder folder;
  for (const std::string recipe :
       {R"({"weights": {"bits": 4, "narrow_range": false, "granularity": "per_tensor"}})", R"("binaryconnect")"}) {
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(tests::small_lenet(4), recipe, 2);
    check_deployment(run, folder / "a");
    for (auto& [name, tensor] : run.states) {
      if (name.ends_with(".gamma")) tensor.as<float>()[0] = 0;
    }
    run.deployment = frontend::deploy(run.model, run.recipe, run.states);
    check_deployment(run, folder / "a");
  }
}
