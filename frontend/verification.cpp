#include "frontend/verification.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "frontend/simulation.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/analysis.h"
#include "passes/outputs.h"

namespace stair::driver {
namespace {

using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::TensorView;
using ir::ValueId;

bool is_integer(ir::DType dtype) {
  return dtype == ir::DType::s8 || dtype == ir::DType::u8 || dtype == ir::DType::i32;
}

double element(const TensorView& tensor, std::int64_t i) {
  switch (tensor.type.dtype) {
    case ir::DType::f32:
      return static_cast<double>(tensor.as<float>()[i]);
    case ir::DType::f64:
      return tensor.as<double>()[i];
    case ir::DType::s8:
      return tensor.as<std::int8_t>()[i];
    case ir::DType::u8:
      return tensor.as<std::uint8_t>()[i];
    case ir::DType::i32:
      return tensor.as<std::int32_t>()[i];
    case ir::DType::i64:
      return static_cast<double>(tensor.as<std::int64_t>()[i]);
  }
  throw InternalError("an element of no type");
}

// What is compared of a deployment graph.
struct Compared {
  std::vector<std::string> exact;          // integer values, and floats that are a function of integers element by element
  std::vector<std::string> behind_floats;  // integer values that read sums of floats
  std::vector<std::string> float_outputs;  // outputs that do
};

// A float sum's bits depend on the order of its terms, and so do all integers behind it.
bool sums_floats(const Graph& graph, const Node& node) {
  if (!ir::is_float(graph.type(node.results.front()).dtype)) return false;
  const IntegerForm::Kind kind = node.op->integer.kind;
  return kind == IntegerForm::Kind::accumulate || kind == IntegerForm::Kind::average || kind == IntegerForm::Kind::none;
}

Compared compared_values(const Graph& graph) {
  Compared compared;
  std::vector<bool> tainted(graph.values().size(), false);
  for (const Node& node : graph.nodes()) {
    bool taint = sums_floats(graph, node);
    for (const ValueId operand : node.operands) taint = taint || (operand != ir::absent && tainted[static_cast<std::size_t>(operand)]);
    for (const ValueId result : node.results) {
      tainted[static_cast<std::size_t>(result)] = taint;
      if (is_integer(graph.type(result).dtype)) (taint ? compared.behind_floats : compared.exact).push_back(graph.value(result).name);
    }
  }
  for (const ir::Output& output : graph.outputs()) {
    const std::string& name = graph.value(output.value).name;
    if (is_integer(graph.type(output.value).dtype)) continue;
    (tainted[static_cast<std::size_t>(output.value)] ? compared.float_outputs : compared.exact).push_back(name);
  }
  return compared;
}

// The forward half of the training graph, once batch-norm and observers are frozen.
Graph training_forward(const Graph& model, const passes::Recipe& recipe) {
  passes::Phase frozen;
  frozen.observe = false;
  frozen.batch_statistics = false;
  passes::Pipeline pipeline{{"inference_mode"}};
  for (passes::Step& step : passes::quantized_training(recipe, frozen, {}, {})) {
    if (step.pass == "insert_fake_quantize") step.options.set("training", false);
    pipeline.push_back(std::move(step));
  }
  return passes::run(pipeline, model);
}

std::vector<ValueId> values_named(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<ValueId> values;
  for (const std::string& name : names) {
    const ValueId value = graph.find(name);
    if (value == ir::absent) {
      std::vector<std::string> known;
      for (const ir::Value& v : graph.values()) known.push_back(v.name);
      throw Error("the artifact's '" + name + "' has no counterpart in the training graph" + did_you_mean(name, known) +
                  ", expected an artifact of this model and recipe");
    }
    values.push_back(value);
  }
  return values;
}

void compare(const TensorView& expected, const TensorView& found, const std::string& node, const std::string& op, std::int64_t first_image,
             std::int64_t count, std::int64_t batch, IntegerComparison& into) {
  if (expected.type != found.type) {
    throw Error("the artifact's '" + node + "' is " + to_string(found.type) + ", training has " + to_string(expected.type));
  }
  const bool batched = first_image >= 0;
  const std::int64_t stride = batched ? expected.count() / batch : expected.count();
  const std::int64_t elements = batched ? stride * count : stride;
  into.elements += elements;
  const std::size_t size = ir::size_of(expected.type.dtype);
  if (std::memcmp(expected.data, found.data, static_cast<std::size_t>(elements) * size) == 0) return;
  for (std::int64_t i = 0; i < elements; ++i) {
    const auto at = static_cast<std::size_t>(i) * size;
    if (std::memcmp(expected.as<char>() + at, found.as<char>() + at, size) == 0) continue;
    ++into.mismatches;
    if (!into.first)
      into.first = Difference{node, op, batched ? first_image + i / stride : -1, i % stride, element(expected, i), element(found, i)};
  }
}

// The values that a backend that fuses layers stores: no int32 sums, and only first results (of a max-pool, no positions).
std::vector<std::string> without_sums(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    const ir::Value& value = graph.value(graph.find(name));
    if (value.type.dtype != ir::DType::i32 && value.result == 0) kept.push_back(name);
  }
  return kept;
}

struct Executed {
  runtime::Executor executor;
  std::vector<std::string> exact;
  std::size_t comparison;
};

}  // namespace

std::int64_t Verification::elements() const {
  std::int64_t sum = 0;
  for (const IntegerComparison& c : integers) sum += c.elements;
  return sum;
}
std::int64_t Verification::mismatches() const {
  std::int64_t sum = 0;
  for (const IntegerComparison& c : integers) sum += c.mismatches;
  return sum;
}
std::int64_t Verification::off_by_one() const {
  std::int64_t sum = 0;
  for (const SimulationComparison& c : simulation) sum += c.off_by_one;
  return sum;
}
std::int64_t Verification::off_by_more() const {
  std::int64_t sum = 0;
  for (const SimulationComparison& c : simulation) sum += c.off_by_more;
  return sum;
}
std::int64_t Verification::simulated_elements() const {
  std::int64_t sum = 0;
  for (const SimulationComparison& c : simulation) sum += c.elements;
  return sum;
}
bool Verification::holds() const {
  return mismatches() == 0 && off_by_more() == 0 &&
         static_cast<double>(off_by_one()) <= allowed_off_by_one * static_cast<double>(simulated_elements()) &&
         largest_float_difference <= allowed_float_difference;
}

Verification verify(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const Graph& artifact,
                    runtime::Tensors& constants, const VerifyBatches& batches, std::int64_t batch_count, const VerifyOptions& options) {
  const std::int64_t batch = batches(0).images.dim(0);
  const Graph deployed = ir::with_batch(artifact, batch);
  const Compared compared = compared_values(deployed);
  Verification report;
  report.behind_floats = compared.behind_floats;
  report.allowed_off_by_one = recipe.requantization == passes::Recipe::Requantization::fixed_point ? 1.0 / 50 : 1.0 / 5000;

  const Graph training = training_forward(ir::with_batch(model, batch), recipe);
  check_calibrated(training, states);
  std::vector<std::string> constant_names;
  for (const ir::State& state : deployed.states()) constant_names.push_back(deployed.value(state.value).name);
  std::vector<std::string> watched = constant_names;
  watched.insert(watched.end(), compared.exact.begin(), compared.exact.end());
  watched.insert(watched.end(), compared.float_outputs.begin(), compared.float_outputs.end());
  const int most_threads = *std::max_element(options.threads.begin(), options.threads.end());
  runtime::initialize_states(training, 0, states);
  runtime::Executor trained =
      executor_for(passes::with_outputs(training, values_named(training, watched)), states, {backends::all(), most_threads, 0});
  const bool labelled = trained.graph().inputs().size() > 1;
  const runtime::Tensor labels(labelled ? trained.graph().type(trained.graph().inputs()[1]) : ir::Type{});

  std::vector<std::string> outputs = compared.exact;
  outputs.insert(outputs.end(), compared.float_outputs.begin(), compared.float_outputs.end());
  const Graph exposed = passes::with_outputs(deployed, values_named(deployed, outputs));
  // A backend that fuses layers stores no sums, and must be watched as it runs.
  const std::vector<std::string> stored = without_sums(deployed, outputs);
  const Graph fused = passes::with_outputs(deployed, values_named(deployed, stored));
  report.integers.push_back({"constants", 0, 0, std::nullopt});
  std::vector<Executed> subjects;
  for (const backends::Backend* backend : options.backends) {
    for (const int threads : options.threads) {
      const bool fuses = backend->channels_last();
      subjects.push_back({executor_for(fuses ? fused : exposed, constants, {{backend}, threads, 0}),
                          fuses ? without_sums(deployed, compared.exact) : compared.exact, report.integers.size()});
      report.integers.push_back(
          {std::string(backend->name()) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"), 0, 0, std::nullopt});
    }
  }
  std::optional<Simulation> simulation;
  if (options.simulate) simulation.emplace(ir::with_batch(model, batch), recipe, states, most_threads);

  const auto op_of = [&](const std::string& name) {
    const Node* node = deployed.producer(deployed.find(name));
    return node == nullptr ? std::string("constant") : node->op->name;
  };
  for (std::int64_t b = 0; b < batch_count; ++b) {
    const VerifyBatch images = batches(b);
    std::vector<TensorView> inputs{images.images};
    if (labelled) inputs.push_back(labels.view());
    trained.run(inputs);
    if (b == 0) {
      for (const std::string& name : constant_names) {
        compare(trained.output(name), constants.find(name)->second.view(), name, "constant", -1, 0, batch, report.integers.front());
      }
    }
    for (Executed& subject : subjects) {
      subject.executor.run({inputs.data(), 1});
      for (const std::string& name : subject.exact) {
        compare(trained.output(name), subject.executor.output(name), name, op_of(name), report.images, images.count, batch,
                report.integers[subject.comparison]);
      }
      for (const std::string& name : compared.float_outputs) {
        const TensorView expected = trained.output(name);
        const TensorView found = subject.executor.output(name);
        double scale = 0;
        double difference = 0;
        for (std::int64_t i = 0; i < expected.count() / batch * images.count; ++i) {
          scale = std::max(scale, std::abs(element(expected, i)));
          difference = std::max(difference, std::abs(element(expected, i) - element(found, i)));
        }
        report.largest_float_difference = std::max(report.largest_float_difference, scale > 0 ? difference / scale : difference);
      }
    }
    if (simulation) simulation->compare(images.images, report.images, images.count, report.simulation);
    report.images += images.count;
  }
  return report;
}

}  // namespace stair::driver
