#include "tests/onnx/imported.h"

#include <algorithm>

#include "frontend/compile.h"
#include "ir/rebatch.h"
#include "passes/pipelines.h"

namespace stair::tests {

frontend::onnx::Made import_graph(const OnnxGraph& graph, const frontend::onnx::Options& options) {
  return frontend::onnx::import(frontend::onnx::read_model(onnx_file(graph), "m.onnx"), options, 1);
}

std::vector<float> run_imported(frontend::onnx::Made& made, const std::vector<float>& x, std::int64_t batch) {
  ir::Type type = made.graph.type(made.graph.inputs().front());
  type.shape.front() = batch;
  const runtime::Tensor input(type);
  if (static_cast<std::size_t>(input.count()) != x.size()) throw std::invalid_argument("as many values as the input has");
  std::copy(x.begin(), x.end(), input.as<float>());
  runtime::Executor executor = frontend::compile(made.graph, passes::float_evaluation(), batch, made.weights, {});
  const std::vector<ir::TensorView> views{input.view()};
  executor.run(views);
  const ir::TensorView result = executor.output(made.graph.outputs().front().name);
  return {result.as<float>(), result.as<float>() + result.count()};
}

std::vector<std::string> ops_of(const frontend::onnx::Made& made) {
  std::vector<std::string> ops;
  for (const ir::Json& layer : made.json["layers"]) ops.push_back(layer["op"]);
  return ops;
}

}  // namespace stair::tests
