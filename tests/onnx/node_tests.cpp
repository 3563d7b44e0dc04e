#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frontend/compile.h"
#include "frontend/importers/onnx/constant.h"
#include "frontend/importers/onnx/import.h"
#include "frontend/verification/onnx/evaluation.h"
#include "ir/error.h"
#include "passes/pipelines.h"
#include "runtime/file.h"

// The node tests of ONNX itself (Debian's libonnx-testdata): models of one operator or a few with inputs and the outputs that they must
// have. Its files know neither parameters nor examples: what isn't the data that goes through becomes an initializer, as it is in a model,
// and where dimension 0 doesn't count examples the whole input is one.

using namespace stair;
namespace onnx = frontend::onnx;
namespace fs = std::filesystem;

namespace {

struct Case {
  onnx::Model model;
  std::vector<onnx::Tensor> inputs, outputs;
};

onnx::Tensor load_tensor(const std::string& path, std::list<std::string>& bytes) {
  return onnx::read_tensor(bytes.emplace_back(runtime::read_file(path)), path);
}

Case load_case(const fs::path& folder) {
  Case all{onnx::read_model(runtime::read_file((folder / "model.onnx").string()), (folder / "model.onnx").string()), {}, {}};
  const fs::path data = folder / "test_data_set_0";
  for (const auto& [name, into] : {std::pair{"input", &all.inputs}, {"output", &all.outputs}}) {
    for (int i = 0; fs::exists(data / fmt::format("{}_{}.pb", name, i)); ++i)
      into->push_back(load_tensor((data / fmt::format("{}_{}.pb", name, i)).string(), all.model.bytes));
  }
  return all;
}

// Which inputs the data goes through, and whether its dimension 0 counts examples.
struct Reading {
  bool all_floats, batched;
};

enum class Verdict { passes, differs, refused };
struct Outcome {
  Verdict verdict;
  std::string reason;
};

// All but the data: initializers.
std::vector<std::size_t> fix_inputs(Case& of, bool all_floats) {
  std::vector<std::size_t> data;
  std::size_t given = 0;
  for (const onnx::ValueInfo& input : of.model.inputs) {
    if (of.model.initializers.contains(input.name)) continue;
    if (given == of.inputs.size()) break;
    const std::size_t i = given++;
    const bool is_float = input.type == onnx::ElementType::f32;
    if (is_float && (all_floats || data.empty())) {
      data.push_back(i);
    } else {
      of.inputs[i].name = input.name;
      of.model.initializers.emplace(input.name, of.inputs[i]);
    }
  }
  return data;
}

std::string compare(const ir::TensorView& found, const onnx::Tensor& given, bool batched, const std::string& name) {
  const onnx::Constant expected = onnx::decode(given);
  ir::Shape shape = expected.shape;
  if (!batched) shape.insert(shape.begin(), 1);
  if (found.type.shape != shape) return fmt::format("{} is {}, expected {}", name, ir::to_string(found.type.shape), ir::to_string(shape));
  for (std::int64_t i = 0; i < expected.count(); ++i) {
    const double is = runtime::element(found, i);
    const double wanted = expected.number(i);
    if (is == wanted || (std::isnan(is) && std::isnan(wanted))) continue;
    if (!(std::abs(is - wanted) <= 1e-3 * std::abs(wanted) + 1e-6)) return fmt::format("{}[{}] is {}, expected {}", name, i, is, wanted);
  }
  return "";
}

Outcome try_case(const fs::path& folder, const Reading& reading) {
  Case of = load_case(folder);
  const std::vector<std::size_t> data = fix_inputs(of, reading.all_floats);
  if (data.empty()) return {Verdict::refused, "has no input of floats"};
  onnx::Made made;
  try {
    made = onnx::import(of.model, {{}, reading.batched}, 1);
  } catch (const Error& error) {
    return {Verdict::refused, error.what()};
  }
  if (!made.problems.empty()) return {Verdict::refused, made.problems.front()};
  if (made.recipe) return {Verdict::refused, "is quantized, and computes no floats"};
  // By name: inputs that nothing reads are gone.
  std::map<std::string, const onnx::Tensor*> by_name;
  std::size_t next = 0;
  for (const onnx::ValueInfo& input : of.model.inputs) {
    if (!of.model.initializers.contains(input.name) && next < data.size()) by_name[input.name] = &of.inputs[data[next++]];
  }
  std::vector<runtime::Tensor> inputs;
  std::vector<ir::TensorView> views;
  for (const ir::ValueId input : made.graph.inputs()) {
    const onnx::Constant values = onnx::decode(*by_name.at(made.graph.value(input).name));
    ir::Shape shape = values.shape;
    if (!reading.batched) shape.insert(shape.begin(), 1);
    inputs.push_back(onnx::to_tensor(values, shape));
  }
  for (const runtime::Tensor& input : inputs) views.push_back(input.view());
  runtime::Executor executor = frontend::compile(made.graph, passes::float_evaluation(), views.front().dim(0), made.weights, {});
  executor.run(views);
  const auto& outputs = made.graph.outputs();
  if (outputs.size() != of.outputs.size()) return {Verdict::differs, "yields another number of outputs"};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string difference = compare(executor.output(outputs[i].name), of.outputs[i], reading.batched, outputs[i].name);
    if (!difference.empty()) return {Verdict::differs, difference};
  }
  return {Verdict::passes, ""};
}

// The same by the definitions of its operators, all inputs as they are.
std::string difference_by_definition(const fs::path& folder) {
  Case of = load_case(folder);
  verification::onnx::Evaluation evaluation(of.model, {});
  std::map<std::string, verification::onnx::Value> inputs;
  for (std::size_t i = 0; i < of.inputs.size(); ++i) {
    verification::onnx::Value value = verification::onnx::from_constant(onnx::decode(of.inputs[i]));
    value.constant = false;
    inputs.emplace(of.model.inputs[i].name, std::move(value));
  }
  evaluation.run(inputs);
  for (std::size_t i = 0; i < of.outputs.size(); ++i) {
    const onnx::Constant expected = onnx::decode(of.outputs[i]);
    const verification::onnx::Value& found = evaluation.value(of.model.outputs[i].name);
    if (found.shape != expected.shape || found.type != expected.type) return "yields " + ir::to_string(found.shape);
    for (std::int64_t n = 0; n < expected.count(); ++n) {
      if (found.number(n) != expected.number(n)) return fmt::format("[{}] is {}, expected {}", n, found.number(n), expected.number(n));
    }
  }
  return "";
}

struct Summary {
  int passed = 0, refused = 0;
  std::vector<std::string> wrong;
  std::map<std::string, int> reasons;
};

// "(Conv, opset 11): reads [1,3,…" as "Conv: …": numbers and names left out, so that the same reason is counted as one.
std::string reason_of(const std::string& message) {
  const std::size_t op = message.find(" (");
  const std::size_t colon = message.find("): ");
  if (message.starts_with("node '") && op != std::string::npos && colon != std::string::npos) {
    const std::string name = message.substr(op + 2, message.find(',', op) - op - 2);
    return name + (message.find("no layer does that") != std::string::npos ? "" : ": as it stands there");
  }
  return "the model as a whole: it isn't of floats, or has no input";
}

Summary run_all(const std::string& folder) {
  Summary summary;
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(folder)) cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  const char* only = std::getenv("STAIR_ONNX_CASE");
  for (const fs::path& each : cases) {
    const std::string name = each.filename().string();
    if (only != nullptr && name != only) continue;
    std::optional<Outcome> first;
    for (const Reading& reading : {Reading{true, true}, {true, false}, {false, true}, {false, false}}) {
      Outcome outcome{Verdict::refused, ""};
      try {
        outcome = try_case(each, reading);
      } catch (const Error& error) {
        outcome.reason = error.what();
      }
      if (only != nullptr) MESSAGE(name, " ", reading.all_floats, reading.batched, ": ", outcome.reason);
      if (!first || outcome.verdict != Verdict::refused) first = outcome;
      if (outcome.verdict != Verdict::refused) break;
    }
    if (first->verdict == Verdict::passes) ++summary.passed;
    if (first->verdict == Verdict::differs) summary.wrong.push_back(name + ": " + first->reason);
    if (first->verdict != Verdict::refused) continue;
    ++summary.refused;
    if (std::getenv("STAIR_REASONS") != nullptr) MESSAGE(name, ": ", first->reason);
    ++summary.reasons[reason_of(first->reason)];
  }
  return summary;
}

void report(const std::string& name, const Summary& summary) {
  std::string reasons;
  for (const auto& [reason, count] : summary.reasons) reasons += fmt::format("\n  {:>3} {}", count, reason);
  MESSAGE(name, ": ", summary.passed, " pass, ", summary.wrong.size(), " differ, ", summary.refused,
          " refused, by what they need:", reasons);
  for (const std::string& each : summary.wrong) FAIL_CHECK(each);
}

const std::string testdata = "/usr/share/libonnx-testdata/data/";

}  // namespace

TEST_CASE("the node tests of ONNX give the outputs that they must have") {
  if (!fs::exists(testdata)) {
    MESSAGE("skipped: no ", testdata, " (Debian's libonnx-testdata)");
    return;
  }
  const Summary nodes = run_all(testdata + "node");
  report("node", nodes);
  const Summary converted = run_all(testdata + "pytorch-converted");
  report("pytorch-converted", converted);
  const Summary operators = run_all(testdata + "pytorch-operator");
  report("pytorch-operator", operators);
  for (const char* name : {"quantizelinear",
                           "quantizelinear_axis",
                           "dequantizelinear",
                           "dequantizelinear_axis",
                           "qlinearconv",
                           "qlinearmatmul_2D",
                           "qlinearmatmul_3D",
                           "matmulinteger",
                           "basic_convinteger",
                           "convinteger_with_padding",
                           "mod_mixed_sign_int64",
                           "div",
                           "sign",
                           "clip_default_int8_inbounds",
                           "gather_negative_indices",

                           "greater_equal_bcast",
                           "transpose_all_permutations_3",
                           "squeeze",
                           "unsqueeze_two_axes",
                           "reshape_negative_dim"}) {
    const fs::path folder = testdata + "node/test_" + name;
    CAPTURE(name);
    if (!fs::exists(folder)) MESSAGE("not there: ", folder.string());
    if (fs::exists(folder)) CHECK(difference_by_definition(folder) == "");
  }
  if (std::getenv("STAIR_ONNX_CASE") != nullptr) return;
  CHECK(nodes.passed >= 354);
  CHECK(converted.passed >= 64);
  CHECK(operators.passed >= 26);
}
