#include "frontend/reports/report.h"

#include <fmt/format.h>

#include <set>

#include "ir/op.h"
#include "passes/float_nodes.h"

namespace stair::reports {
namespace {

std::string escaped_for_dot(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::int64_t stored_bits(const ir::State& state, ir::DType dtype) {
  if (state.attributes.has("bits")) return state.attributes.integer("bits");
  return static_cast<std::int64_t>(8 * ir::size_of(dtype));
}

}  // namespace

std::string assignment_report(const runtime::Executor& executor) {
  std::string text = fmt::format("{:<36} {:<22} {:<10} {:<24} {}\n", "node", "op", "backend", "kernel", "declined by");
  for (const runtime::Executor::Assignment& a : executor.assignments()) {
    text += fmt::format("{:<36} {:<22} {:<10} {:<24} {}\n", a.node, a.op, a.backend, a.kernel, fmt::join(a.declined, "; "));
  }
  return text;
}

std::string deployment_report(frontend::Deployment& deployment, const frontend::CompileOptions& options) {
  std::string text = fmt::format("{:<36} {:>22} {:>6} {:>12}\n", "constant", "type", "bits", "bytes");
  std::int64_t total = 0;
  for (const ir::State& state : deployment.graph.states()) {
    const ir::Value& value = deployment.graph.value(state.value);
    const std::int64_t bits = stored_bits(state, value.type.dtype);
    const std::int64_t bytes = (ir::element_count(value.type.shape) * bits + 7) / 8;
    total += bytes;
    text += fmt::format("{:<36} {:>22} {:>6} {:>12}\n", value.name, to_string(value.type), bits, bytes);
  }
  text += fmt::format("{:<36} {:>22} {:>6} {:>12}\n\n", "together", "", "", total);
  text += fmt::format("{:<36} {:>14} {:>6}\n", "accumulator (int32)", "bound", "bits");
  for (const passes::AccumulatorBound& bound : deployment.bounds)
    text += fmt::format("{:<36} {:>14} {:>6}\n", bound.node, bound.bound, bound.bits);
  const std::string islands = passes::describe_float_islands(deployment.graph);
  text += "\n" + (islands.empty() ? "float between quantizers: nothing\n" : islands);
  const runtime::Executor executor = frontend::executor_for(deployment.graph, deployment.constants, options);
  return text + "\n" + assignment_report(executor);
}

std::string model_report(const ir::Graph& model) {
  std::string text = fmt::format("{:<32} {:<22} {:<20} {:>12}\n", "layer", "op", "result", "parameters");
  std::int64_t total = 0;
  std::set<ir::ValueId> counted;  // parameters that layers share count once, with the first
  for (const ir::Node& node : model.nodes()) {
    std::int64_t parameters = 0;
    for (const ir::ValueId operand : node.operands) {
      const ir::State* state = operand == ir::absent ? nullptr : model.state(operand);
      if (state == nullptr || state->role != ir::StateRole::parameter || !counted.insert(operand).second) continue;
      parameters += ir::element_count(model.type(operand).shape);
    }
    total += parameters;
    text += fmt::format("{:<32} {:<22} {:<20} {:>12}\n", node.name, node.op->name, ir::to_string(model.type(node.results.front()).shape),
                        parameters);
  }
  return text + fmt::format("{:<32} {:<22} {:<20} {:>12}\n", "together", "", "", total);
}

std::string to_dot(const ir::Graph& graph) {
  std::string text = fmt::format("digraph \"{}\" {{\n  node [shape=box, fontname=\"sans-serif\"];\n", escaped_for_dot(graph.name));
  for (const ir::ValueId input : graph.inputs()) {
    text += fmt::format("  v{} [label=\"{}\\n{}\", shape=ellipse];\n", input, escaped_for_dot(graph.value(input).name),
                        to_string(graph.type(input)));
  }
  for (std::size_t n = 0; n < graph.nodes().size(); ++n) {
    const ir::Node& node = graph.nodes()[n];
    text += fmt::format("  n{} [label=\"{}\\n{}\\n{}\"];\n", n, escaped_for_dot(node.name), node.op->name,
                        to_string(graph.type(node.results.front())));
    for (const ir::ValueId operand : node.operands) {
      if (operand == ir::absent || graph.state(operand) != nullptr) continue;
      if (graph.producer(operand) == nullptr) {
        text += fmt::format("  v{} -> n{};\n", operand, n);
      } else {
        text += fmt::format("  n{} -> n{};\n", graph.value(operand).producer, n);
      }
    }
  }
  for (const ir::Output& output : graph.outputs()) {
    text += fmt::format("  \"{}\" [shape=ellipse];\n", escaped_for_dot(output.name));
    if (graph.producer(output.value) != nullptr)
      text += fmt::format("  n{} -> \"{}\";\n", graph.value(output.value).producer, escaped_for_dot(output.name));
  }
  return text + "}\n";
}

}  // namespace stair::reports
