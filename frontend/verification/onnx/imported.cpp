#include "frontend/verification/onnx/imported.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "frontend/compile.h"
#include "frontend/quantization.h"
#include "frontend/verification/onnx/evaluation.h"
#include "frontend/verification/onnx/summing.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/rebatch.h"

namespace stair::verification::onnx {

namespace {

constexpr std::int64_t examples = 4;

// What the input's quantizer stands for; 1 and 0 where it has none.
frontend::Quantization quantizer_of(const frontend::Deployment& deployed, ir::ValueId input) {
  for (const ir::Node& node : deployed.graph.nodes()) {
    const bool quantizes = node.op->operands.size() == 3 && node.op->operands[1].name == "scale" &&
                           !ir::is_float(deployed.graph.type(node.results.front()).dtype);
    if (!quantizes || node.operands.front() != input) continue;
    const auto constant = [&](std::size_t i) {
      return deployed.constants.find(deployed.graph.value(node.operands[i]).name)->second.view();
    };
    return {*constant(1).as<float>(), *constant(2).as<std::int32_t>()};
  }
  return {1.0F / 64, 128};
}

// The same example for both: as floats, and as the file takes it.
std::pair<runtime::Tensor, Value> input_of(const frontend::Deployment& deployed, ir::ValueId input, const ir::Shape& shape,
                                           const frontend::onnx::ValueInfo& info) {
  const frontend::Quantization its = quantizer_of(deployed, input);
  runtime::Tensor floats({ir::DType::f32, shape});
  Value given = made(info.type, info.shape && info.shape->size() < shape.size() ? ir::Shape(shape.begin() + 1, shape.end()) : shape);
  for (std::int64_t i = 0; i < floats.count(); ++i) {
    const float q = 255 * ir::random_uniform(1, 11, static_cast<std::uint64_t>(input), static_cast<std::uint64_t>(i));
    float& x = floats.as<float>()[i];
    x = (q - static_cast<float>(its.zero_point)) * its.scale;
    if (given.is_real()) {
      given.reals[static_cast<std::size_t>(i)] = static_cast<double>(x);
      continue;
    }
    const std::int64_t whole = placed(x / its.scale, its.zero_point, {0, 255});
    x = static_cast<float>(whole - its.zero_point) * its.scale;
    given.integers[static_cast<std::size_t>(i)] = info.type == ElementType::s8 ? whole - 128 : whole;
  }
  return {std::move(floats), std::move(given)};
}

}  // namespace

ImportCheck check_import(const frontend::onnx::Model& file, frontend::onnx::Made& imported) {
  frontend::Deployment deployed = frontend::deploy(imported.graph, *imported.recipe, imported.weights);
  const frontend::Quantizations quantizations = frontend::quantizations_of(imported.graph, *imported.recipe, imported.weights);
  // Inputs that count no examples have one.
  std::vector<const frontend::onnx::ValueInfo*> infos;
  std::int64_t batch = examples;
  for (const frontend::onnx::ValueInfo& info : file.inputs) {
    if (file.initializers.contains(info.name)) continue;
    infos.push_back(&info);
    const bool stated = info.shape && !info.shape->empty() && info.shape->front().size;
    if (stated)
      batch = info.shape->size() < imported.graph.type(imported.graph.inputs().front()).shape.size() ? 1 : *info.shape->front().size;
  }
  const ir::Graph graph = ir::with_batch(deployed.graph, batch);
  std::map<std::string, Value> given;
  std::vector<runtime::Tensor> inputs;
  for (const ir::ValueId input : graph.inputs()) {
    const auto info =
        std::find_if(infos.begin(), infos.end(), [&](const auto* its) { return its->name.ends_with(graph.value(input).name); });
    if (info == infos.end()) throw Error(file.path + ": has no input '" + graph.value(input).name + "'");
    auto [floats, value] = input_of(deployed, input, graph.type(input).shape, **info);
    inputs.push_back(std::move(floats));
    given.emplace((*info)->name, std::move(value));
  }
  Evaluation evaluation(file, {});
  evaluation.run(given);
  runtime::Executor executor = frontend::executor_for(graph, deployed.constants, {});
  executor.run(runtime::views_of(inputs));

  ImportCheck check;
  for (std::size_t n = 0; n < graph.outputs().size(); ++n) {
    const ir::Output& output = graph.outputs()[n];
    const ir::TensorView ours = executor.output(output.name);
    const Value& theirs = evaluation.value(file.outputs.at(n).name);
    if (theirs.count() != ours.count()) {
      throw Error(file.path + ": its output '" + file.outputs[n].name + "' is " + ir::to_string(theirs.shape) + ", as layers it is " +
                  to_string(ours.type));
    }
    const auto its = quantizations.activations.find(graph.value(output.value).name);
    const bool integers = its != quantizations.activations.end() && !ir::is_float(ours.type.dtype);
    double most = 0;
    double difference = 0;
    for (std::int64_t i = 0; i < ours.count(); ++i) {
      double found = runtime::element(ours, i);
      if (integers && theirs.is_real()) {
        found = static_cast<double>(static_cast<float>(static_cast<std::int64_t>(found) - its->second.zero_point) * its->second.scale);
      } else if (integers && theirs.type == ElementType::s8) {
        found -= 128;
      }
      const double expected = theirs.number(i);
      check.differ += found == expected ? 0 : 1;
      most = std::max(most, std::abs(expected));
      difference = std::max(difference, std::isfinite(found - expected) ? std::abs(found - expected) : HUGE_VAL);
    }
    check.outputs += ours.count();
    if (difference > 0) check.largest = std::max(check.largest, difference / std::max(most, 1e-30));
  }
  return check;
}

}  // namespace stair::verification::onnx
