#include "tests/ops/interpreter.h"

#include <cstring>
#include <stdexcept>
#include <string>

#include "ir/op.h"

namespace stair::tests {
namespace {

constexpr int garbage = 0xa5;

const backends::Backend& first_that_runs(const ir::Graph& graph, const ir::Node& node,
                                         const std::vector<const backends::Backend*>& backends) {
  for (const backends::Backend* backend : backends) {
    if (backend->supports(graph, node).yes) return *backend;
  }
  throw std::runtime_error("no backend for node '" + node.name + "'");
}

}  // namespace

Interpreter::Interpreter(const ir::Graph& graph, const std::vector<const backends::Backend*>& backends, int threads)
    : graph_(graph), threads_(threads) {
  for (const ir::Value& value : graph.values()) values_.emplace_back(value.type);
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const ir::Node& node = graph.nodes()[n];
    const std::vector<ir::NodeId> alone{static_cast<ir::NodeId>(n)};
    std::unique_ptr<backends::Kernel> kernel = first_that_runs(graph, node, backends).prepare(graph, alone, {});
    runtime::Buffer scratch(kernel->scratch_bytes(threads));
    steps_.push_back({&node, std::move(kernel), std::move(scratch)});
  }
}

void Interpreter::feed(std::string_view name, const runtime::Tensor& tensor) {
  const ir::ValueId id = graph_.find(name);
  if (id == ir::absent || graph_.type(id) != tensor.type()) throw std::runtime_error("can't feed '" + std::string(name) + "'");
  std::memcpy(value(id).view().data, tensor.view().data, tensor.bytes());
}

void Interpreter::feed(const runtime::Tensors& tensors) {
  for (const auto& [name, tensor] : tensors) feed(name, tensor);
}

void Interpreter::run() {
  for (Step& step : steps_) {
    std::vector<ir::TensorView> operands;
    std::vector<ir::TensorView> results;
    for (const ir::ValueId id : step.node->operands) operands.push_back(id == ir::absent ? ir::TensorView{} : value(id).view());
    for (const ir::ValueId id : step.node->results) {
      results.push_back(value(id).view());
      std::memset(results.back().data, garbage, value(id).bytes());
    }
    std::memset(step.scratch.data(), garbage, step.scratch.size());
    step.kernel->run({operands, results, step.scratch.data(), threads_});
  }
}

std::vector<std::vector<double>> run_reference(const Case& c) {
  const ir::Graph graph = graph_of(c);
  Interpreter interpreter(graph, {&backends::named("reference")});
  interpreter.feed(draw_operands(c));
  interpreter.run();
  std::vector<std::vector<double>> results;
  for (const ir::ValueId id : graph.node(0).results) results.push_back(to_doubles(interpreter.value(id)));
  return results;
}

}  // namespace stair::tests
