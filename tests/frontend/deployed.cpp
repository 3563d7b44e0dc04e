// Artifacts that somebody made by hand: the checksum is right, the rest is not.

#include "frontend/readers/deployed.h"

#include <doctest/doctest.h>

#include "ir/error.h"
#include "runtime/file.h"
#include "runtime/memory.h"
#include "runtime/safetensors.h"
#include "tests/frontend/process.h"

using namespace stair;

namespace {

struct Forged {
  std::string graph;  // the lines behind its head
  runtime::Tensors tensors = {};
};

runtime::Tensor integers(const ir::Type& type, std::int64_t value) {
  runtime::Tensor tensor(type);
  for (std::int64_t i = 0; i < tensor.count(); ++i) {
    if (type.dtype == ir::DType::s8) tensor.as<std::int8_t>()[i] = static_cast<std::int8_t>(value);
    if (type.dtype == ir::DType::i32) tensor.as<std::int32_t>()[i] = static_cast<std::int32_t>(value);
    if (type.dtype == ir::DType::f32) tensor.as<float>()[i] = static_cast<float>(value);
  }
  return tensor;
}

void write(const Forged& forged, const std::string& path) {
  runtime::Safetensors contents;
  contents.metadata = {{"graph", "sir 1\ngraph \"g\"\n" + forged.graph}, {"recipe", "{}"}, {"mean", "[]"}, {"std", "[]"}};
  for (const auto& [name, tensor] : forged.tensors) contents.tensors.emplace(name, tensor.clone());
  runtime::write_file(path, runtime::to_safetensors(contents, "staircase artifact", 1));
}

// What is said against it behind "FILE (graph)"; "" where it is fine.
std::string error_of(const Forged& forged, std::int64_t batch = 3) {
  const tests::TemporaryFolder folder;
  write(forged, folder / "a.stair");
  try {
    readers::at_batch(readers::load_deployed(folder / "a.stair"), batch);
    return "";
  } catch (const Error& error) {
    const std::string message = error.what();
    const std::string place = folder / "a.stair (graph)";
    REQUIRE(message.starts_with(place));
    return message.substr(place.size());
  }
}

// A quantized linear layer of so many inputs; weights all -127.
Forged linear(std::int64_t inputs, std::int32_t zero_point, const std::string& more = "") {
  const std::string n = std::to_string(inputs);
  Forged forged{"%x = input : f32[1," + n + "]\n%s = state constant external : f32[1]\n%z = state constant external : i32[1]\n" +
                "%w = state constant external : s8[2," + n + "]\n%m = state constant external : f32[1]\n" +
                "%q = quantize(%x, %s, %z) {hi=255, lo=0}\n%sum = linear_integer(%q, %w, %z)\n" +
                "%y = dequantize_accumulator(%sum, %m) {axis=-1}\n" + (more.empty() ? "output y = %y\n" : more)};
  forged.tensors.emplace("s", integers({ir::DType::f32, {1}}, 1));
  forged.tensors.emplace("m", integers({ir::DType::f32, {1}}, 1));
  forged.tensors.emplace("z", integers({ir::DType::i32, {1}}, zero_point));
  forged.tensors.emplace("w", integers({ir::DType::s8, {2, inputs}}, -127));
  return forged;
}

constexpr const char* input_line = "%x = input : f32[1,8]\n";

}  // namespace

TEST_CASE("a deployed graph that is as deployment leaves it can be run") {
  CHECK(error_of(linear(8, 3)) == "");
}

TEST_CASE("an artifact holds what deployment emits, and constants only") {
  CHECK(error_of({"%x = input : f32[1,1,4,4]\n%y = avg_pool_grad(%x) {input_shape=[1,1,8,8], kernel=[2,2]}\noutput y = %y\n"}) ==
        ": avg_pool_grad 'y': is no op of a deployed graph");
  Forged state{std::string(input_line) + "%w = state parameter external : f32[1,8]\n%y = add(%x, %w)\noutput y = %y\n"};
  state.tensors.emplace("w", integers({ir::DType::f32, {1, 8}}, 1));
  CHECK(error_of(state) == ": 'w' is a parameter, expected constants only");
  Forged update{std::string(input_line) + "%w = state constant external : f32[1,8]\n%y = relu(%x)\noutput y = %y\nupdate %w = %y\n"};
  update.tensors.emplace("w", integers({ir::DType::f32, {1, 8}}, 1));
  CHECK(error_of(update).ends_with(": update of 'w', which is a constant"));
  CHECK(error_of({std::string(input_line) + "%c = concat(%x, _, %x)\noutput y = %c\n"}).starts_with(":4:"));
}

TEST_CASE("an artifact takes pictures and yields a row for each") {
  CHECK(error_of({"%x = input : u8[1,8]\n%y = flatten(%x)\noutput y = %y\n"}) ==
        ": its input 'x' is u8[1,8], expected f32[1,...], or i32[1,...] that an embedding reads");
  CHECK(error_of({"%x = input : f32[2,8]\n%y = relu(%x)\noutput y = %y\n"}) ==
        ": its input 'x' is f32[2,8], expected f32[1,...], or i32[1,...] that an embedding reads");
  CHECK(error_of({"%x = input : f32[]\n%y = relu(%x)\noutput y = %y\n"}) ==
        ": its input 'x' is f32[], expected f32[1,...], or i32[1,...] that an embedding reads");
  for (const ir::Type& type : {ir::Type{ir::DType::f32, {1, 10}}, ir::Type{ir::DType::s8, {1, 10}}}) {
    Forged constant{std::string(input_line) + "%k = state constant external : " + to_string(type) + "\noutput y = %k\n"};
    constant.tensors.emplace("k", integers(type, 1));
    CHECK(error_of(constant) == ": its output 'k' doesn't depend on an input");
  }
  CHECK(error_of(linear(8, 3, "output y = %sum\n")) ==
        ": its output 'sum' is i32[1,2], expected f32, s8 or u8 [1,...], or what argmax yields");
  CHECK(error_of(linear(8, 3, "output y = %s\n")) == ": its output 's' is f32[1], expected f32, s8 or u8 [1,...], or what argmax yields");
  CHECK(error_of({"%x = input : f32[1,2,2,2]\n%r = reshape(%x) {shape=[1,8]}\noutput y = %r\n"})
            .starts_with(": can't be run at a batch of 3: "));
}

TEST_CASE("an artifact of version 2 may have several inputs and outputs, and all of them are checked") {
  const auto error_of_two = [](const std::string& graph, const std::string& inputs = R"({"x": FORM, "z": FORM})") {
    std::string forms = inputs;
    for (std::size_t at = 0; (at = forms.find("FORM")) != std::string::npos;)
      forms.replace(at, 4, R"({"preprocessing": {"kind": "normalize"}})");
    runtime::Safetensors contents;
    contents.metadata = {{"arithmetic", "2"}, {"graph", "sir 1\ngraph \"g\"\n" + graph}, {"inputs", forms}};
    contents.tensors.emplace("k", integers({ir::DType::f32, {1, 4}}, 1));
    const tests::TemporaryFolder folder;
    runtime::write_file(folder / "a.stair", runtime::to_safetensors(contents, "staircase artifact", 2));
    try {
      readers::at_batch(readers::load_deployed(folder / "a.stair"), 3);
      return std::string();
    } catch (const Error& error) {
      const std::string message = error.what();
      const std::string place = folder / "a.stair (graph)";
      return message.starts_with(place) ? message.substr(place.size()) : message;
    }
  };
  const std::string two = "%x = input : f32[1,8]\n%z = input : f32[1,4]\n%k = state constant external : f32[1,4]\n";
  const std::string sum = two + "%y = add(%z, %k)\n%r = relu(%x)\n";
  CHECK(error_of_two(sum + "output a = %r\noutput b = %y\n") == "");
  CHECK(error_of_two(two + "%r = relu(%x)\noutput a = %r\noutput b = %k\n") == ": its output 'k' doesn't depend on an input");
  CHECK(error_of_two("%x = input : f32[1,8]\n%z = input : u8[1,4]\noutput a = %x\n") ==
        ": its input 'z' is u8[1,4], expected f32[1,...], or i32[1,...] that an embedding reads");
  CHECK(
      error_of_two(two + "%r = reshape(%x) {shape=[1,8]}\noutput a = %z\noutput b = %r\n").starts_with(": can't be run at a batch of 3: "));
  CHECK(error_of_two("%k = state constant external : f32[1,4]\noutput a = %k\n", "{}") ==
        ": has 0 inputs and 1 outputs, expected at least one of each");
  CHECK(error_of_two(two, R"({"x": FORM, "z": FORM})") == ": has 2 inputs and 0 outputs, expected at least one of each");
  Forged of_version_1{sum + "output a = %r\n"};
  of_version_1.tensors.emplace("k", integers({ir::DType::f32, {1, 4}}, 1));
  CHECK(error_of(of_version_1) == ": has 2 inputs and 1 outputs, expected one of each");
}

TEST_CASE("the sums of an artifact are proven from its own weights when it is loaded") {
  CHECK(error_of(linear(65'000, 3)) == "");
  CHECK(error_of(linear(68'000, 3)).starts_with(": linear_integer 'sum': an int32 overflow can't be excluded"));
}

TEST_CASE("a width of packed integers that is none") {
  for (const std::string bits : {"true", "2.5", "\"4\"", "[4]"}) {
    Forged forged = linear(8, 3);
    forged.graph.replace(forged.graph.find("%w = state constant external"), 28, "%w = state constant external {bits=" + bits + "}");
    CHECK(error_of(forged).find("attribute 'bits' is ") != std::string::npos);
  }
  for (const std::string bits : {"0", "-1", "9", "9223372036854775807"}) {
    Forged forged = linear(8, 3);
    forged.graph.replace(forged.graph.find("%w = state constant external"), 28, "%w = state constant external {bits=" + bits + "}");
    CHECK(error_of(forged) == ": state 'w' s8[2,8] has bits=" + bits + ", expected an integer from 1 to 8, of s8 or u8");
  }
  Forged large = linear(8, 3);  // is refused before the gigabyte is made
  large.graph = "%big = state constant external {bits=1} : s8[32768,32768]\n" + large.graph;
  large.tensors.emplace("big", runtime::Tensor({ir::DType::u8, {16}}));
  const tests::TemporaryFolder folder;
  write(large, folder / "a.stair");
  CHECK_THROWS_WITH_AS(readers::load_deployed(folder / "a.stair"),
                       (folder / "a.stair: tensor 'big' has 16 bytes of 1-bit integers, expected 134217728 for s8[32768,32768]").c_str(),
                       Error);
}

TEST_CASE("a graph takes no more memory than it may") {
  struct Limit {
    explicit Limit(std::uint64_t bytes) { runtime::limit_memory(bytes); }
    ~Limit() { runtime::limit_memory({}); }
  };
  const ir::Type wide{ir::DType::f32, {1, std::int64_t{1} << 30}};
  ir::Graph graph;
  graph.name = "g";
  graph.add_output("y", graph.emit("relu", {graph.add_input("x", wide)}));
  const auto said = [&](std::uint64_t working) -> std::string {
    try {
      runtime::check_memory(graph, working);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  };
  CHECK(said(0) == "graph 'g' takes 4096.0 MiB (states 0 bytes), expected at most 2048.0 MiB; --memory SIZE allows more");
  CHECK(said(~std::uint64_t{0}).starts_with("graph 'g' takes 17592186044416.0 MiB"));
  {
    const Limit limit(std::uint64_t{5} << 30);
    CHECK(said(0) == "");
    CHECK(said(std::uint64_t{1} << 30) == "");
    CHECK(said((std::uint64_t{1} << 30) + 1) ==
          "graph 'g' takes 5368709121 bytes (states 0 bytes), expected at most 5368709120 bytes; --memory SIZE allows more");
  }
  {
    const Limit limit(1000);
    CHECK(said(0) == "graph 'g' takes 4096.0 MiB (states 0 bytes), expected at most 1000 bytes; --memory SIZE allows more");
  }
  {
    const Limit limit(100'000);
    CHECK(said(0) == "graph 'g' takes 4096.0 MiB (states 0 bytes), expected at most 97.7 KiB; --memory SIZE allows more");
  }
  ir::Graph batch;
  batch.name = "b";
  batch.add_output("y", batch.emit("relu", {batch.add_input("x", {ir::DType::f32, {1 << 20, 1 << 9}})}));
  runtime::check_memory(batch, 0);  // 2 GiB in all, little for each example
}
