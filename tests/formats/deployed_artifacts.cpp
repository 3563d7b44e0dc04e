#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "frontend/compile.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/rebatch.h"
#include "ir/text.h"
#include "passes/outputs.h"
#include "runtime/artifact.h"
#include "tests/formats/artifact_reader.h"
#include "tests/frontend/process.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"
#include "tests/support/seeds.h"

// Artifacts that the program writes and runs, evaluated by a reader that knows the pages alone (artifact_reader.h): the same bits at every
// node.

using namespace stair;

namespace {

template <class T>
void append_elements(const ir::TensorView& view, std::vector<double>& into) {
  for (std::int64_t i = 0; i < view.count(); ++i) into.push_back(static_cast<double>(view.as<T>()[i]));
}

// A tensor of the program as the reader holds it.
reader::Tensor as_read(const ir::TensorView& view) {
  reader::Tensor tensor;
  tensor.element = ir::name_of(view.type.dtype);
  tensor.shape = view.type.shape;
  if (view.type.dtype == ir::DType::f32) append_elements<float>(view, tensor.values);
  if (view.type.dtype == ir::DType::s8) append_elements<std::int8_t>(view, tensor.values);
  if (view.type.dtype == ir::DType::u8) append_elements<std::uint8_t>(view, tensor.values);
  if (view.type.dtype == ir::DType::i32) append_elements<std::int32_t>(view, tensor.values);
  return tensor;
}

bool same(const reader::Tensor& a, const reader::Tensor& b) {
  return a.element == b.element && a.shape == b.shape && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(double)) == 0;
}

// Sums of floats in two orders: no further apart than a part in 10,000 of the largest.
bool close(const reader::Tensor& a, const reader::Tensor& b) {
  if (a.element != b.element || a.shape != b.shape) return false;
  double largest = 0;
  for (const double value : a.values) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (!(std::abs(a.values[i] - b.values[i]) <= 1e-4 * largest)) return false;
  }
  return true;
}

struct Judge {
  tests::TemporaryFolder folder;
  std::set<std::string> reached;  // ops
  std::int64_t elements = 0;      // held against each other bit by bit

  // Saves the artifact, runs it on the program and on the reader, and compares each value.
  void judge(runtime::Artifact& written, std::uint64_t seed) {
    const std::string path = folder / "a.stair";
    runtime::save_artifact(written, path);
    const reader::Artifact artifact = reader::read_artifact(folder.read("a.stair"));
    for (const reader::Node& node : artifact.nodes) reached.insert(node.op);

    runtime::Artifact loaded = runtime::load_artifact(path);
    const ir::Graph graph = ir::with_batch(loaded.graph, 3);
    std::vector<runtime::Tensor> inputs;
    std::vector<ir::TensorView> views;
    std::map<std::string, reader::Tensor> given;
    for (const ir::ValueId id : graph.inputs()) {
      inputs.push_back(tests::random_images(graph.type(id), seed + inputs.size()));
      views.push_back(inputs.back().view());
      given[graph.value(id).name] = as_read(views.back());
    }
    std::vector<ir::ValueId> watched;
    for (const ir::Node& node : graph.nodes()) watched.insert(watched.end(), node.results.begin(), node.results.end());
    runtime::Executor executor = frontend::executor_for(passes::with_outputs(graph, watched), loaded.constants, {});
    executor.run(views);

    bool settled = true;
    const auto settle = [&](const std::string& value, const reader::Tensor& computed) {
      settled = false;
      reader::Tensor found = as_read(executor.output(value));
      INFO(value);
      CHECK(close(computed, found));
      return found;
    };
    const std::map<std::string, reader::Tensor> values = reader::evaluate(artifact, given, settle);
    for (const ir::ValueId id : watched) {
      const std::string& name = graph.value(id).name;
      INFO(name);
      CHECK(same(values.at(name), as_read(executor.output(name))));
      elements += executor.output(name).count();
    }
    // Once more as it is deployed, where layers fuse.
    if (!settled) return;
    runtime::Executor fused = frontend::executor_for(graph, loaded.constants, {});
    fused.run(views);
    CHECK(artifact.outputs.size() == graph.outputs().size());
    for (const auto& [name, value] : artifact.outputs) CHECK(same(values.at(value), as_read(fused.output(name))));
  }

  void judge(ir::Graph model, const std::string& recipe, std::uint64_t seed) {
    CAPTURE(recipe);
    tests::QuantizedRun run = tests::quantized_run(std::move(model), recipe, 1, seed);
    runtime::Artifact artifact;
    artifact.graph = run.deployment.graph;
    artifact.constants = std::move(run.deployment.constants);
    artifact.inputs.resize(1);
    INFO(ir::print(artifact.graph));
    judge(artifact, seed);
  }
};

// Every op that may stand in an artifact, on integers or on floats as the recipe has it.
ir::Graph net_of_all_ops(std::int64_t batch) {
  using List = std::vector<std::int64_t>;
  tests::ModelBuilder m({batch, 4, 6, 6});
  ir::ValueId x = m.block(m.input(), {.out = 4});
  x = m.batch_norm(m.op("max_pool", {x}, {{"kernel", List{3, 3}}, {"stride", List{1, 1}}, {"padding", List{1, 1, 1, 1}}}));
  for (const std::string& function : tests::function_layers()) {
    x = m.function(function, m.conv(x, {.out = 4, .kernel = 1, .padding = {0, 0, 0, 0}, .bias = true}));
  }
  x = m.op("div", {m.prelu(x), m.op("clip", {x}, {{"low", 2.5}, {"high", 4.0}})});
  x = m.op("maximum", {m.op("minimum", {x, m.conv(x, {.out = 4})}), m.conv(x, {.out = 4})});
  x = m.op("resize_bilinear", {m.op("resize_nearest", {m.conv(x, {.out = 4})}, {{"size", List{4, 9}}})}, {{"size", List{6, 4}}});
  const ir::Attributes block{{"block", std::int64_t{2}}, {"order", std::string("crd")}};
  x = m.op("space_to_depth", {m.op("depth_to_space", {x}, {{"block", std::int64_t{2}}})}, block);
  x = m.op("gather", {x}, {{"indices", List{2, 0, 1, 3}}});
  x = m.op("avg_pool_inside", {x}, {{"kernel", List{3, 3}}, {"stride", List{1, 1}}, {"padding", List{1, 1, 1, 1}}});
  x = m.op("resize_nearest", {x}, {{"size", List{6, 6}}});
  const ir::ValueId turned = m.op("transpose", {x}, {{"permutation", List{0, 1, 3, 2}}});
  const auto channels = [&](std::int64_t first, std::int64_t last) {
    return m.op("slice", {turned}, {{"axes", List{1}}, {"starts", List{first}}, {"ends", List{last}}});
  };
  x = m.op("pad", {m.op("concat", {channels(0, 2), channels(1, 4)})}, {{"padding", List{0, 0, 1, 1, 0, 0, 1, 1}}});
  x = m.op("pad", {m.block(x, {.out = 5, .transposed = true})}, {{"padding", List{0, 0, 1, 0, 0, 0, 1, 0}}, {"value", 0.5}});
  x = m.op("avg_pool", {m.block(x, {.out = 5})}, {{"kernel", List{2, 2}}, {"padding", List{0, 0, 0, 1}}});
  const ir::ValueId rows = m.op("reshape", {x}, {{"shape", List{0, 5, -1}}});
  const ir::ValueId scores = m.op("matmul", {rows, rows}, {{"transpose_b", true}});
  x = m.op("matmul", {m.row_norm("layer_norm", m.op("softmax", {scores})), m.row_norm("instance_norm", rows)});
  x = m.row_norm("group_norm", x, {{"groups", std::int64_t{1}}});
  x = m.op("mul", {x, m.op("sub", {x, m.op("reduce_max", {x}, {{"axes", List{2}}, {"keep", true}})})});
  x = m.op("add", {x, m.op("reduce_mean", {x}, {{"axes", List{1}}, {"keep", true}})});
  x = m.linear(m.op("log_softmax", {m.linear(x, 6)}), 7);
  const ir::ValueId total = m.op("reduce_sum", {x}, {{"axes", List{-1}}});
  const ir::ValueId plane = m.op("reshape", {x}, {{"shape", List{0, 5, 7, 1}}});
  const ir::ValueId mean = m.op("flatten", {m.op("global_avg_pool", {plane})});
  const ir::ValueId most =
      m.op("squeeze", {m.op("unsqueeze", {m.op("global_max_pool", {plane})}, {{"axes", List{1}}})}, {{"axes", List{1, 3, 4}}});
  const ir::ValueId picked = m.embedding(m.op("argmax", {x}, {{"axis", std::int64_t{1}}}), 4, 3);
  const ir::ValueId constant = m.op("constant", {}, {{"shape", List{1, 2}}, {"values", std::vector<double>{0.5, -1}}});
  return m.finish(m.linear(m.op("concat", {total, mean, constant, most, m.op("flatten", {picked})}), 10));
}

const char* const recipes[] = {
    R"("int8")",
    R"({"weights": {"bits": 3}, "activations": {"bits": 5, "symmetric": true}, "bias": "float32"})",
    R"({"requantization": "fixed_point", "weights": {"bits": 6}})",
    R"({"requantization": "fixed_point", "bias": "float32", "activations": {"symmetric": true}, "quantize_output": true})",
    R"({"requantization": "power_of_two", "quantize_output": true})",
    R"({"weights": {"bits": 2}, "overrides": [{"pattern": "conv", "skip": true}, {"pattern": "fc*", "skip": true}]})",
    R"("jacob2017")",
    R"("classic")",
    R"("binaryconnect")",
};

}  // namespace

TEST_CASE("a reader written from the pages computes what the program computes, at every node and with every op") {
  Judge judge;
  for (const char* const recipe : recipes) {
    judge.judge(net_of_all_ops(4), recipe, 1);
    judge.judge(tests::small_mixed_net(4), recipe, 2);
  }
  CHECK(judge.reached == reader::known_ops());
  std::set<std::string> deployed;
  for (const auto& [name, op] : ir::op_registry().all()) {
    if (op.deployed) deployed.insert(name);
  }
  CHECK(deployed == reader::known_ops());
  MESSAGE("compared " << judge.elements << " elements");
}

TEST_CASE("random networks: a reader written from the pages computes what the program computes") {
  Judge judge;
  for (const std::uint64_t seed : tests::seeds(18)) {
    INFO(tests::replay(seed));
    judge.judge(seed % 3 == 2 ? tests::random_attention_net(seed, 4) : tests::random_net(seed, 4), recipes[seed % std::size(recipes)],
                seed);
  }
}

namespace {

constexpr const char* edges = R"(sir 1
graph "edges"
%x = input : f32[1,4]
%scale = state constant external : f32[1]
%zero_point = state constant external : i32[1]
%weight = state constant external {bits=5} : s8[16,4]
%mantissa = state constant external : i32[16]
%shift = state constant external : i32[16]
%multiplier = state constant external : f32[16]
%bias = state constant external : i32[16]
%steps = state constant external : f32[16]
%range = state constant external : i32[2]
%q = quantize(%x, %scale, %zero_point) {lo=-128, hi=127} : s8[1,4]
%acc = linear_integer(%q, %weight, %zero_point) : i32[1,16]
%a = requantize_fixed(%acc, %mantissa, %shift, %zero_point, %bias) {lo=-128, hi=127} : s8[1,16]
%b = requantize_fixed(%acc, %mantissa, %shift, %zero_point, %steps, %range) {lo=-128, hi=127, axis=-1} : s8[1,16]
%c = requantize(%acc, %multiplier, %zero_point, %bias, %range) {lo=-128, hi=127} : s8[1,16]
%d = requantize(%acc, %multiplier, %zero_point, %steps) {lo=-128, hi=127} : s8[1,16]
%y = concat(%a, %b, %c, %d) : s8[1,64]
output logits = %y
)";

// A constant, element by element.
template <class T, class Draw>
void fill(runtime::Artifact& artifact, const char* name, Draw&& draw) {
  runtime::Tensor tensor(artifact.graph.type(artifact.graph.find(name)));
  for (std::int64_t i = 0; i < tensor.count(); ++i) tensor.as<T>()[i] = static_cast<T>(draw());
  artifact.constants.emplace(name, std::move(tensor));
}

}  // namespace

TEST_CASE("constants at the edges of what the pages allow mean what the pages say") {
  Judge judge;
  for (const std::uint64_t seed : tests::seeds(20)) {
    INFO(tests::replay(seed));
    std::uint64_t draws = 0;
    const auto pick = [&](std::int64_t low, std::int64_t high) {
      return low + static_cast<std::int64_t>(ir::random_bits(seed, 9, 0, draws++) % static_cast<std::uint64_t>(high - low + 1));
    };
    runtime::Artifact artifact;
    artifact.graph = ir::parse(edges, "edges");
    artifact.inputs.resize(1);
    fill<float>(artifact, "scale", [&] { return std::ldexp(1.0F, static_cast<int>(pick(-8, -4))); });
    fill<std::int32_t>(artifact, "zero_point", [&] { return pick(-128, 127); });
    fill<std::int8_t>(artifact, "weight", [&] { return pick(-16, 15); });
    // Mantissa 0 comes with shift 0.
    std::vector<std::int64_t> mantissas;
    fill<std::int32_t>(artifact, "mantissa", [&] {
      const std::int64_t kinds[] = {0, 1 << 30, 2147483647, pick(1 << 30, 2147483647)};
      mantissas.push_back(kinds[pick(0, 3)]);
      return mantissas.back();
    });
    std::size_t channel = 0;
    fill<std::int32_t>(artifact, "shift", [&] {
      const std::int64_t kinds[] = {-31, 30, pick(-31, 30), pick(-14, 0)};
      return mantissas[channel++] == 0 ? 0 : kinds[pick(0, 3)];
    });
    // From subnormal multipliers, whose products vanish, to those that saturate.
    fill<float>(artifact, "multiplier",
                [&] { return std::ldexp(1.0F + static_cast<float>(pick(0, 1000)) / 1000.0F, static_cast<int>(pick(-149, 40))); });
    fill<std::int32_t>(artifact, "bias", [&] { return pick(0, 2) == 0 ? pick(-(1 << 30), 1 << 30) : pick(-5000, 5000); });
    fill<float>(artifact, "steps", [&] { return std::ldexp(static_cast<float>(pick(-1000, 1000)), static_cast<int>(pick(-160, 2))); });
    std::int64_t low = pick(-128, 0);
    fill<std::int32_t>(artifact, "range", [&] { return std::exchange(low, pick(0, 127)); });
    judge.judge(artifact, seed);
  }
}

namespace {

// Two inputs, two outputs, and weights by codebooks of 2 and 3 bits (and one of 7 whose integers aren't all among its levels).
constexpr const char* pair = R"(sir 1
graph "pair"
%x = input : f32[1,4]
%"second x" = input : f32[1,2,3]
%scale = state constant external : f32[1]
%zero_point = state constant external : i32[1]
%ternary = state constant external {bits=2, levels=[-1,0,1]} : s8[16,4]
%powers = state constant external {bits=3, levels=[-128,-64,-8,0,1,8,64,127]} : s8[5,6]
%other = state constant external {bits=7, levels=[-3,100]} : s8[5,6]
%q = quantize(%x, %scale, %zero_point) {lo=-128, hi=127} : s8[1,4]
%r = quantize(%"second x", %scale, %zero_point) {lo=-128, hi=127} : s8[1,2,3]
%flat = flatten(%r)
%a = linear_integer(%q, %ternary, %zero_point) : i32[1,16]
%b = linear_integer(%flat, %powers, %zero_point) : i32[1,5]
%c = linear_integer(%flat, %other, %zero_point) : i32[1,5]
%scores = dequantize_accumulator(%a, %scale) {axis=-1} : f32[1,16]
%more = dequantize_accumulator(%b, %scale) {axis=-1} : f32[1,5]
%most = dequantize_accumulator(%c, %scale) {axis=-1} : f32[1,5]
%both = concat(%more, %most) : f32[1,10]
output logits = %scores
output aux = %both
)";

}  // namespace

TEST_CASE("several inputs and outputs, and weights in codebooks, mean what the pages say") {
  Judge judge;
  for (const std::uint64_t seed : tests::seeds(4)) {
    INFO(tests::replay(seed));
    std::uint64_t draws = 0;
    const auto level = [&](const std::vector<int>& levels) { return levels[ir::random_bits(seed, 9, 0, draws++) % levels.size()]; };
    runtime::Artifact artifact;
    artifact.graph = ir::parse(pair, "pair");
    artifact.inputs.resize(2);
    fill<float>(artifact, "scale", [] { return 0.0625F; });
    fill<std::int32_t>(artifact, "zero_point", [&] { return level({-128, -3, 0, 90}); });
    fill<std::int8_t>(artifact, "ternary", [&] { return level({-1, 0, 1}); });
    fill<std::int8_t>(artifact, "powers", [&] { return level({-128, -64, -8, 0, 1, 8, 64, 127}); });
    fill<std::int8_t>(artifact, "other", [&] { return level({-3, 100, 5}); });
    judge.judge(artifact, seed);
  }
}

namespace {

// A .npy file of bytes (docs/format-data.md).
std::string npy(const reader::Tensor& bytes) {
  std::string shape;
  for (const std::int64_t dimension : bytes.shape) shape += std::to_string(dimension) + ", ";
  std::string header = "{'descr': '|u1', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize(118 - 1, ' ');
  std::string file = std::string("\x93NUMPY\x01\x00", 8) + std::string("\x76\x00", 2) + header + "\n";
  for (const double value : bytes.values) file += static_cast<char>(static_cast<unsigned char>(value));
  return file;
}

}  // namespace

TEST_CASE("pictures of bytes become the model's input as docs/format-artifact.md says") {
  tests::QuantizedRun run = tests::quantized_run(tests::small_mixed_net(4), R"("int8")", 1, 5);
  runtime::Artifact artifact;
  artifact.graph = run.deployment.graph;
  artifact.constants = std::move(run.deployment.constants);
  artifact.inputs = {{{{0.4914, 0.1, 1e-9}, {0.2, 0.3333333333, 3}}, {"u8"}}};
  const tests::TemporaryFolder folder;
  runtime::save_artifact(artifact, folder / "a.stair");

  reader::Tensor pictures("u8", {4, 3, 8, 8});
  for (std::size_t i = 0; i < pictures.values.size(); ++i) pictures.values[i] = static_cast<double>(i * 37 % 256);
  folder.write("x.npy", npy(pictures));
  const tests::Outcome outcome = tests::run_stair({"run", "a.stair", "--input", "x.npy", "--output", "y.npy"}, folder.path());
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);

  const reader::Artifact read = reader::read_artifact(folder.read("a.stair"));
  const std::map<std::string, reader::Tensor> values =
      reader::evaluate(read, {{read.inputs.at(0), reader::normalized(read, read.inputs.at(0), pictures)}},
                       [](const std::string&, const reader::Tensor& computed) { return computed; });
  const reader::Tensor& logits = values.at(read.outputs.begin()->second);
  std::string expected;
  for (const double value : logits.values) {
    const auto real = static_cast<float>(value);
    expected.append(reinterpret_cast<const char*>(&real), sizeof real);
  }
  CHECK(folder.read("y.npy").ends_with(expected));
  CHECK(logits.shape == reader::Shape{4, 10});
}
