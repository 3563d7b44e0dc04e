#include <benchmark/benchmark.h>

#include <set>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "frontend/importer.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"
#include "runtime/tensor.h"

// Times every kernel of a training step of LeNet (batch 64), in float and in 8-bit QAT, on the openblas backend, or on the reference where
// that declines: kernels MODE/NODE/OP/BACKEND.

namespace {

using namespace stair;

constexpr int threads = 2;

// A node on memory of its own.
struct Bench {
  const ir::Graph& graph;
  const ir::Node& node;
  std::vector<runtime::Tensor> tensors;
  std::vector<ir::TensorView> operands, results;
  std::unique_ptr<backends::Kernel> kernel;
  runtime::Buffer scratch;

  Bench(const ir::Graph& of, const ir::Node& which, const backends::Backend& backend) : graph(of), node(which) {
    for (const ir::ValueId id : node.operands) operands.push_back(id == ir::absent ? ir::TensorView{} : make(graph.type(id)));
    for (const ir::ValueId id : node.results) results.push_back(make(graph.type(id)));
    const std::vector<ir::NodeId> alone{graph.value(node.results.front()).producer};
    kernel = backend.prepare(graph, alone, {});
    scratch = runtime::Buffer(kernel->scratch_bytes(threads));
  }

  ir::TensorView make(const ir::Type& type) {
    tensors.emplace_back(type);
    if (type.dtype == ir::DType::f32) std::fill_n(tensors.back().as<float>(), tensors.back().count(), 0.5F);
    return tensors.back().view();
  }

  void run() { kernel->run({operands, results, scratch.data(), threads}); }
};

const backends::Backend& backend_of(const ir::Graph& graph, const ir::Node& node) {
  const backends::Backend& blas = backends::named("openblas");
  return blas.supports(graph, node).yes ? blas : backends::named("reference");
}

void add_all(const std::string& mode, const ir::Graph& graph) {
  for (const ir::Node& node : graph.nodes()) {
    const backends::Backend& backend = backend_of(graph, node);
    const std::string name = mode + "/" + node.name + "/" + node.op->name + "/" + std::string(backend.name());
    benchmark::RegisterBenchmark(name.c_str(),
                                 [&graph, &node, &backend](benchmark::State& state) {
                                   Bench bench(graph, node, backend);
                                   for (auto unused : state) bench.run();
                                 })
        ->Unit(benchmark::kMicrosecond)
        ->UseRealTime();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const ir::Graph model = ir::with_batch(frontend::import_model(STAIR_SOURCE_DIR "/examples/models/lenet.json", 1).model, 64);
  const ir::Attributes sgd{{"optimizer", ir::Object({{"momentum", 0.9}})}};
  const ir::Graph floating = passes::run(passes::float_training({}, sgd), model);
  const ir::Graph quantized = passes::run(passes::quantized_training(passes::recipe_from_json("\"int8\""), {}, {}, sgd), model);
  add_all("float", floating);
  add_all("qat", quantized);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
