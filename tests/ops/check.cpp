#include "tests/ops/check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "backends/backend.h"
#include "ir/error.h"
#include "ir/op.h"
#include "tests/ops/interpreter.h"

namespace stair::tests {
namespace {

using Results = std::vector<runtime::Tensor>;

Results results_of(const ir::Graph& graph, const Interpreter& interpreter) {
  Results results;
  for (const ir::ValueId id : graph.node(0).results) results.push_back(interpreter.value(id).clone());
  return results;
}

Results run(const ir::Graph& graph, const runtime::Tensors& operands, const backends::Backend& backend, int threads) {
  Interpreter interpreter(graph, {&backend}, threads);
  interpreter.feed(operands);
  interpreter.run();
  return results_of(graph, interpreter);
}

bool same_bits(const runtime::Tensor& a, const runtime::Tensor& b) {
  return a.type() == b.type() && std::memcmp(a.view().data, b.view().data, a.bytes()) == 0;
}

bool same_bits(const Results& a, const Results& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) { return same_bits(x, y); });
}

bool has_floats(const ir::Graph& graph, ir::DType dtype) {
  const auto& results = graph.node(0).results;
  return std::any_of(results.begin(), results.end(), [&](ir::ValueId id) { return graph.type(id).dtype == dtype; });
}

// Arithmetic of which numerics.md says that it is in float32.
bool computes_in_single_precision(const ir::OpSchema& op) {
  static const std::vector<std::string_view> names{"average_multiplier", "dequantize_accumulator", "fit_channels"};
  return std::find(names.begin(), names.end(), op.name) != names.end();
}

// The case in double precision, where the op has that: its graph, or nothing.
std::optional<ir::Graph> wide_graph_of(const Case& c) {
  if (!has_floats(graph_of(c), ir::DType::f32) || computes_in_single_precision(ir::op(c.op))) return std::nullopt;
  ir::Graph wide = graph_of(c, ir::DType::f64);
  return has_floats(wide, ir::DType::f64) ? std::optional(std::move(wide)) : std::nullopt;
}

// What floats are compared with: the reference in double precision, else the reference as it is.
Results oracle(const Case& c, const std::optional<ir::Graph>& wide, const Results& reference) {
  Results results;
  for (const runtime::Tensor& tensor : reference) results.push_back(tensor.clone());
  if (!wide) return results;
  Results precise = run(*wide, draw_operands(c, ir::DType::f64), backends::named("reference"), 1);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (precise[i].type().dtype == ir::DType::f64) results[i] = std::move(precise[i]);
  }
  return results;
}

// A backend that takes the node in double precision must compute in it.
void check_wide(const Case& c, const ir::Graph& wide, const backends::Backend& backend, const Results& precise) {
  if (!backend.supports(wide, wide.node(0)).yes) return;
  const Results found = run(wide, draw_operands(c, ir::DType::f64), backend, 2);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].type().dtype == ir::DType::f64) CHECK(near(to_doubles(found[i]), to_doubles(precise[i])));
  }
}

// Ops that hand on or negate elements, for which no result may be rounded.
bool exact(const ir::OpSchema& op) {
  static const std::vector<std::string_view> more{"broadcast", "negate", "one_hot"};
  return op.integer.kind == ir::IntegerForm::Kind::move || std::find(more.begin(), more.end(), op.name) != more.end();
}

void check_results(const ir::Graph& graph, const Results& found, const Results& reference, const Results& precise) {
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    if (!ir::is_float(found[i].type().dtype)) {
      CHECK(same_bits(found[i], reference[i]));
    } else if (exact(*graph.node(0).op)) {
      CHECK(to_doubles(found[i]) == to_doubles(precise[i]));
    } else {
      CHECK(near(to_doubles(found[i]), to_doubles(precise[i])));
    }
  }
}

// Results over the memory of the operands that the schema names.
void check_in_place(const ir::Graph& graph, const runtime::Tensors& operands, const backends::Backend& backend, const Results& apart) {
  const ir::Node& node = graph.node(0);
  Results results;
  for (const ir::ValueId id : node.results) results.emplace_back(graph.type(id));
  std::vector<ir::TensorView> result_views;
  for (const runtime::Tensor& result : results) result_views.push_back(result.view());
  std::vector<ir::TensorView> operand_views;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    operand_views.push_back(node.operands[i] == ir::absent ? ir::TensorView{} : operands.find(operand_name(i))->second.view());
  }
  for (std::size_t i = 0; i < node.op->in_place.size(); ++i) {
    ir::TensorView& operand = operand_views[node.op->in_place[i]];
    if (byte_count(operand.type) != results[i].bytes()) return;
    std::memcpy(results[i].view().data, operand.data, results[i].bytes());
    operand.data = results[i].view().data;
  }
  const std::unique_ptr<backends::Kernel> kernel = backend.prepare(graph, std::vector<ir::NodeId>{0}, {});
  const runtime::Buffer scratch(kernel->scratch_bytes(2));
  kernel->run({operand_views, result_views, scratch.data(), 2});
  CHECK(same_bits(results, apart));
}

// All operands but the first are constants, from which a kernel may prepare what it needs once.
Results run_with_constants(const ir::Graph& graph, const runtime::Tensors& operands, const backends::Backend& backend, int threads) {
  const ir::Node& node = graph.node(0);
  std::vector<ir::TensorView> constants(graph.values().size());
  std::vector<ir::TensorView> operand_views;
  for (std::size_t i = 0; i < node.operands.size(); ++i) {
    operand_views.push_back(node.operands[i] == ir::absent ? ir::TensorView{} : operands.find(operand_name(i))->second.view());
    if (i > 0 && node.operands[i] != ir::absent) constants[static_cast<std::size_t>(node.operands[i])] = operand_views[i];
  }
  Results results;
  for (const ir::ValueId id : node.results) results.emplace_back(graph.type(id));
  std::vector<ir::TensorView> result_views;
  for (const runtime::Tensor& result : results) result_views.push_back(result.view());
  const std::unique_ptr<backends::Kernel> kernel = backend.prepare(graph, std::vector<ir::NodeId>{0}, constants);
  const runtime::Buffer scratch(kernel->scratch_bytes(threads));
  kernel->run({operand_views, result_views, scratch.data(), threads});
  return results;
}

}  // namespace

bool near(const std::vector<double>& found, const std::vector<double>& expected) {
  if (found.size() != expected.size()) return false;
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!(std::abs(found[i] - expected[i]) <= 1e-4 * largest)) return false;
  }
  return true;
}

bool takes(const backends::Backend& backend, const Case& c) {
  const ir::Graph graph = graph_of(c);
  return backend.supports(graph, graph.node(0)).yes;
}

void check_on_all_backends(const Case& c) {
  const std::string what = describe(c);
  CAPTURE(what);
  const ir::Graph graph = graph_of(c);
  const runtime::Tensors operands = draw_operands(c);
  const Results reference = run(graph, operands, backends::named("reference"), 1);
  const std::optional<ir::Graph> wide = wide_graph_of(c);
  const Results precise = oracle(c, wide, reference);
  for (const backends::Backend* backend : tested_backends()) {
    if (!backend->supports(graph, graph.node(0)).yes) continue;
    const std::string on(backend->name());
    CAPTURE(on);
    const Results single = run(graph, operands, *backend, 1);
    check_results(graph, single, reference, precise);
    if (wide) check_wide(c, *wide, *backend, precise);
    for (const int threads : {2, 3}) {
      CAPTURE(threads);
      CHECK(same_bits(single, run(graph, operands, *backend, threads)));
    }
    const Results prepared = run_with_constants(graph, operands, *backend, 1);
    check_results(graph, prepared, reference, precise);
    CHECK(same_bits(prepared, run_with_constants(graph, operands, *backend, 3)));
    if (!graph.node(0).op->in_place.empty()) check_in_place(graph, operands, *backend, single);
  }
}

}  // namespace stair::tests
