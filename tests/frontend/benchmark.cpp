#include "frontend/bench/benchmark.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "frontend/bench/benchmark_report.h"
#include "frontend/importer.h"
#include "ir/op.h"
#include "tests/support/model_builder.h"

using namespace stair;

namespace {

const std::string models = std::string(STAIR_SOURCE_DIR) + "/examples/models/";

ir::Graph example(const std::string& name) {
  return frontend::import_model(models + name + ".json", 0).model;
}

std::int64_t products_of(const ir::Graph& graph) {
  return std::accumulate(graph.nodes().begin(), graph.nodes().end(), std::int64_t{0},
                         [&](std::int64_t sum, const ir::Node& node) { return sum + ir::multiply_accumulates(graph, node); });
}

bench::BenchmarkOptions two_runs() {
  bench::BenchmarkOptions options;
  options.time.runs = 2;
  return options;
}

}  // namespace

TEST_CASE("multiply-accumulates of the example models are the known ones") {
  CHECK(products_of(example("mlp")) == 784 * 1024 + 2 * 1024 * 1024 + 1024 * 10);
  CHECK(products_of(example("lenet")) == 28 * 28 * 32 * 25 + 14 * 14 * 64 * 32 * 25 + 3136 * 512 + 512 * 10);
  CHECK(products_of(example("resnet18")) == 1'814'073'344);
  CHECK(products_of(example("mobilenet_v1")) == 568'740'352);
  CHECK(products_of(example("ds_cnn")) == 125 * 64 * 40 + 4 * 125 * 64 * (9 + 64) + 64 * 12);
}

TEST_CASE("matrix products count what they sum over, whichever operand is transposed") {
  tests::ModelBuilder builder({2, 3, 4, 5});
  const ir::ValueId x = builder.input();
  const ir::ValueId squares = builder.op("matmul", {x, x}, {{"transpose_a", true}});
  const ir::ValueId wide = builder.op("matmul", {x, x}, {{"transpose_b", true}});
  const ir::Graph graph = builder.finish(builder.op("matmul", {wide, builder.op("matmul", {x, squares})}));
  std::vector<std::int64_t> counts;
  for (const ir::Node& node : graph.nodes()) counts.push_back(ir::multiply_accumulates(graph, node));
  CHECK(counts == std::vector<std::int64_t>{6 * 5 * 5 * 4, 6 * 4 * 4 * 5, 6 * 4 * 5 * 5, 6 * 4 * 5 * 4});
}

TEST_CASE("every example model is calibrated, deployed and measured without having been trained") {
  for (const char* name : {"mlp", "mlp_1024", "lenet", "lenet_relu6", "mixed", "resnet8", "resnet20", "ds_cnn"}) {
    CAPTURE(std::string(name));
    const ir::Graph model = example(name);
    bench::Subject subject = bench::untrained_subject(model, passes::recipe_from_json(R"("int8")"), 1);
    const bench::Benchmark benchmark = bench::run_benchmark(subject, two_runs());
    CHECK(benchmark.operations == 2 * static_cast<double>(products_of(model)));
    CHECK(benchmark.latency.runs == 2);
    CHECK(benchmark.arena_bytes > 0);
  }
}

TEST_CASE("the networks of ImageNet are calibrated and deployed") {
  for (const char* name : {"resnet18", "mobilenet_v1"}) {
    CAPTURE(std::string(name));
    const ir::Graph model = example(name);
    const bench::Subject subject = bench::untrained_subject(model, passes::recipe_from_json(R"("int8")"), 1);
    CHECK(products_of(subject.graph) == products_of(model));
  }
}

TEST_CASE("operations, bytes and shares of a small network, batch 3, are those of its shapes") {
  const ir::Graph model = tests::small_lenet(1);
  bench::Subject subject = bench::untrained_subject(model, passes::recipe_from_json(R"("int8")"), 3);
  const bench::BenchmarkOptions options = two_runs();
  const bench::Benchmark benchmark = bench::run_benchmark(subject, options);
  CHECK(benchmark.operations == 3 * 2 * static_cast<double>(products_of(model)));
  REQUIRE(benchmark.peak);

  double operations = 0;
  for (const bench::StepTime& step : benchmark.steps) operations += step.operations;
  CHECK(operations == benchmark.operations);
  std::size_t bytes = 0;
  for (const ir::State& state : subject.graph.states()) bytes += ir::byte_count(subject.graph.type(state.value));
  CHECK(benchmark.state_bytes == bytes);

  const ir::Json json = bench::benchmark_json(subject, options, benchmark);
  double share = 0;
  for (const ir::Json& node : json["nodes"]) share += node["share"].get<double>();
  CHECK(std::abs(share - 1) < 1e-9);
  CHECK(json["batch"] == 3);
  CHECK(json["peak_fraction"] > 0);
  CHECK(json["images_per_s"].get<double>() == doctest::Approx(3000 / json["median_ms"].get<double>()));
}

TEST_CASE("a training step counts the products of forward and backward, but for the gradient of the images") {
  const ir::Graph model = example("lenet");
  const std::int64_t forward = products_of(model);
  const std::int64_t first = 28 * 28 * 32 * 25;
  for (const bool quantized : {false, true}) {
    CAPTURE(quantized);
    const std::optional<passes::Recipe> recipe = quantized ? std::optional(passes::recipe_from_json(R"("int8")")) : std::nullopt;
    bench::Subject subject = bench::training_subject(model, recipe, 2);
    const bench::Benchmark benchmark = bench::run_benchmark(subject, two_runs());
    CHECK(benchmark.operations == 2 * 2 * static_cast<double>(3 * forward - first));
    const ir::Json json = bench::benchmark_json(subject, two_runs(), benchmark);
    CHECK(json["mode"] == (quantized ? "qat" : "float"));
    CHECK(json["step_ms"] == json["median_ms"]);
    CHECK(json["peak_rss_mib"] > 1);
    CHECK(json["memory_gb_per_s"] > 0);
  }
}

TEST_CASE("training is measured on labels of the graph's type, of every class and no other") {
  const bench::Subject subject = bench::training_subject(example("lenet"), {}, 23);
  const std::vector<runtime::Tensor> inputs = bench::inputs_of(subject);
  REQUIRE(inputs.size() == 2);
  REQUIRE(inputs[1].type() == ir::Type{ir::DType::i32, {23}});
  const std::int32_t* labels = inputs[1].as<std::int32_t>();
  CHECK(std::set<std::int32_t>(labels, labels + 23) == std::set<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("the bytes of a kernel are those of the tensors that enter and leave it") {
  tests::ModelBuilder builder({2, 3, 4, 5});
  const ir::ValueId x = builder.input();
  const ir::ValueId y = builder.op("relu", {x});
  bench::Subject subject = bench::float_subject(builder.finish(builder.op("add", {y, y})), 2);
  const bench::Benchmark benchmark = bench::run_benchmark(subject, two_runs());
  REQUIRE(benchmark.steps.size() == 2);
  for (const bench::StepTime& step : benchmark.steps) CHECK(step.bytes == 2 * 4 * 2 * 3 * 4 * 5);
}

TEST_CASE("packed weights count as they lie in memory: of 4 and 2 bits, for one image") {
  const auto packed = [](const char* bits, std::int64_t batch) {
    const std::string recipe = std::string(R"({"base": "int8", "weights": {"bits": )") + bits + "}}";
    bench::Subject subject = bench::untrained_subject(example("mlp"), passes::recipe_from_json(recipe), batch);
    const bench::Benchmark benchmark = bench::run_benchmark(subject, two_runs());
    double bytes = 0;
    for (const bench::StepTime& step : benchmark.steps) bytes += step.bytes;
    CHECK(bytes > static_cast<double>(benchmark.packed_bytes));
    return static_cast<double>(benchmark.packed_bytes);
  };
  const double wide = packed("8", 1);
  CHECK(wide > 784 * 1024 + 2 * 1024 * 1024);
  CHECK(packed("4", 1) < 0.55 * wide);
  CHECK(packed("2", 1) < 0.3 * wide);
  CHECK(packed("4", 64) == packed("8", 64));
}

TEST_CASE("the reference runs on the scalar instructions of any processor") {
  bench::Subject subject = bench::untrained_subject(tests::small_lenet(1), passes::recipe_from_json(R"("int8")"), 1);
  bench::BenchmarkOptions options = two_runs();
  options.compile.backends = {&backends::named("reference")};
  const bench::Benchmark benchmark = bench::run_benchmark(subject, options);
  REQUIRE(benchmark.peak);
  CHECK(benchmark.peak->isa == "scalar");
  for (const bench::StepTime& step : benchmark.steps) {
    CHECK(step.assignment.backend == "reference");
    CHECK(step.assignment.isa == "scalar");
    CHECK(step.assignment.declined.empty());
  }
}

TEST_CASE("the instruction set that a kernel names is one whose peak is measured") {
  std::set<std::string> named;
  const auto check = [&](bench::Subject subject) {
    const bench::Benchmark benchmark = bench::run_benchmark(subject, two_runs());
    for (const bench::StepTime& step : benchmark.steps) {
      const runtime::Executor::Assignment& assignment = step.assignment;
      CAPTURE(assignment.backend);
      CAPTURE(assignment.kernel);
      CAPTURE(assignment.isa);
      CHECK(step.peak.has_value() == !assignment.isa.empty());
      if (step.operations > 0) CHECK(!assignment.isa.empty());
      if (step.peak) CHECK(step.peak->isa == assignment.isa);
      if (!assignment.isa.empty()) named.insert(assignment.backend);
    }
  };
  const passes::Recipe recipe = passes::recipe_from_json(R"("int8")");
  const ir::Graph model = tests::small_mixed_net(2);
  check(bench::untrained_subject(model, recipe, 2));
  check(bench::float_subject(model, 2));
  check(bench::training_subject(model, recipe, 2));
  check(bench::training_subject(model, {}, 2));
  CHECK(named == std::set<std::string>{"int8", "openblas", "reference"});
}
