#include "frontend/verification/verification.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "frontend/verification/simulation.h"
#include "ir/error.h"
#include "ir/op.h"
#include "ir/rebatch.h"
#include "passes/analysis.h"
#include "passes/outputs.h"

namespace stair::verification {
namespace {

using ir::Graph;
using ir::IntegerForm;
using ir::Node;
using ir::TensorView;
using ir::ValueId;

bool is_integer(ir::DType dtype) {
  return dtype == ir::DType::s8 || dtype == ir::DType::u8 || dtype == ir::DType::i32;
}

// What is compared of a deployment graph.
struct Compared {
  std::vector<std::string> exact;          // integer values, and floats that are a function of integers element by element
  std::vector<std::string> behind_floats;  // integer values that read sums of floats
  std::vector<std::string> float_outputs;  // outputs that do, by the names of their values
};

// A float sum's bits depend on the order of its terms, and so do all integers behind it.
bool sums_floats(const Graph& graph, const Node& node) {
  if (!ir::is_float(graph.type(node.results.front()).dtype)) return false;
  const IntegerForm::Kind kind = node.op->integer.kind;
  return kind != IntegerForm::Kind::integer && kind != IntegerForm::Kind::move && kind != IntegerForm::Kind::unary &&
         kind != IntegerForm::Kind::binary;
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

// Of an output that can have one.
ir::Attributes any_loss(const Graph& model) {
  for (const ir::Output& output : model.outputs()) {
    const ir::Type& type = model.type(output.value);
    if (!ir::is_float(type.dtype)) continue;
    return {
        {"losses",
         std::vector<ir::Object>{ir::Object(
             {{"kind", std::string("mean_squared_error")}, {"target", std::string("values")}, {"output", output.name}, {"weight", 1.0}})}}};
  }
  throw Error("the model yields no floats, expected an output that a loss is of");
}

// The forward half of the training graph, once batch-norm and observers are frozen.
Graph training_forward(const Graph& model, const passes::Recipe& recipe) {
  passes::Phase frozen;
  frozen.observe = false;
  frozen.batch_statistics = false;
  passes::Pipeline pipeline{{"inference_mode"}};
  for (passes::Step& step : passes::quantized_training(recipe, frozen, any_loss(model), {})) {
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

void expect_type(const std::string& name, const ir::Type& expected, const ir::Type& found) {
  if (expected == found) return;
  throw Error("the artifact's '" + name + "' is " + to_string(found) + ", training has " + to_string(expected));
}

void compare(const TensorView& expected, const TensorView& found, const std::string& node, const std::string& op, std::int64_t first_image,
             std::int64_t count, std::int64_t batch, IntegerComparison& into) {
  expect_type(node, expected.type, found.type);
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
      into.first = Difference{
          node, op, batched ? first_image + i / stride : -1, i % stride, runtime::element(expected, i), runtime::element(found, i)};
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
  std::int64_t not_stored;  // elements of an image
  std::vector<Judgement> judgements;
};

// What reads sums of floats and is judged: by value of the realized graph, the name in the artifact. First results only, and no sums, which
// fused kernels don't store.
struct Behind {
  std::map<ValueId, std::string> judged;
  std::set<ValueId> names;
  std::vector<std::string> unchecked;
};

Behind judged_behind_floats(const Graph& deployed, const Compared& compared, const Simulation* simulation) {
  Behind behind;
  std::vector<std::string> all = compared.behind_floats;
  all.insert(all.end(), compared.float_outputs.begin(), compared.float_outputs.end());
  for (const std::string& name : all) {
    const ValueId value = simulation == nullptr ? ir::absent : simulation->realized().find(name);
    const ir::Value& its = deployed.value(deployed.find(name));
    const bool asked = value != ir::absent && simulation->asks(value) && its.result == 0 && its.type.dtype != ir::DType::i32;
    if (!asked) {
      behind.unchecked.push_back(name);
      continue;
    }
    expect_type(name, simulation->realized().type(value), its.type);
    behind.judged[value] = name;
    behind.names.insert(value);
  }
  return behind;
}

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
std::int64_t Verification::judged() const {
  std::int64_t sum = 0;
  for (const IntegerComparison& c : integers) sum += c.judged;
  for (const Judgement& j : judgements) sum += j.elements;
  return sum;
}
std::int64_t Verification::near_ties() const {
  std::int64_t sum = 0;
  for (const Judgement& j : judgements) sum += j.near_ties;
  return sum;
}
std::int64_t Verification::wrong() const {
  std::int64_t sum = 0;
  for (const IntegerComparison& c : integers) sum += c.judged_wrong;
  for (const Judgement& j : judgements) sum += j.wrong;
  return sum;
}
std::int64_t Verification::not_stored() const {
  std::int64_t sum = 0;
  for (const IntegerComparison& c : integers) sum += c.not_stored;
  return sum;
}
bool Verification::holds() const {
  return mismatches() == 0 && wrong() == 0;
}

Verification verify(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const Graph& artifact,
                    runtime::Tensors& constants, const VerifyBatches& batches, std::int64_t batch_count, const VerifyOptions& options) {
  const std::int64_t batch = batches(0).inputs.front().dim(0);
  const Graph deployed = ir::with_batch(artifact, batch);
  const Compared compared = compared_values(deployed);
  Verification report;
  report.behind_floats = compared.behind_floats;
  report.behind_floats.insert(report.behind_floats.end(), compared.float_outputs.begin(), compared.float_outputs.end());

  const Graph training = training_forward(ir::with_batch(model, batch), recipe);
  frontend::check_calibrated(ir::with_batch(model, batch), recipe, states);
  std::vector<std::string> constant_names;
  for (const ir::State& state : deployed.states()) constant_names.push_back(deployed.value(state.value).name);
  std::vector<std::string> watched = constant_names;
  watched.insert(watched.end(), compared.exact.begin(), compared.exact.end());
  const int most_threads = *std::max_element(options.threads.begin(), options.threads.end());
  runtime::initialize_states(training, 0, states);
  runtime::Executor trained =
      frontend::executor_for(passes::with_outputs(training, values_named(training, watched)), states, {backends::all(), most_threads, 0});
  std::vector<runtime::Tensor> labels;  // which nothing that is compared depends on
  for (std::size_t i = model.inputs().size(); i < trained.graph().inputs().size(); ++i)
    labels.emplace_back(trained.graph().type(trained.graph().inputs()[i]));

  std::optional<Simulation> simulation;
  if (options.simulate) simulation.emplace(ir::with_batch(model, batch), recipe, states, most_threads);
  const Behind behind = judged_behind_floats(deployed, compared, simulation ? &*simulation : nullptr);
  report.unchecked = behind.unchecked;

  std::vector<std::string> outputs = compared.exact;
  for (const auto& [value, name] : behind.judged) outputs.push_back(name);
  const Graph exposed = passes::with_outputs(deployed, values_named(deployed, outputs));
  // A backend that fuses layers stores no sums, and must be watched as it runs.
  const Graph fused = passes::with_outputs(deployed, values_named(deployed, without_sums(deployed, outputs)));
  report.integers.push_back({"constants"});
  std::vector<Executed> subjects;
  for (const backends::Backend* backend : options.backends) {
    for (const int threads : options.threads) {
      const bool fuses = backend->channels_last();
      const std::vector<std::string> stored = fuses ? without_sums(deployed, compared.exact) : compared.exact;
      std::int64_t lost = 0;
      for (const std::string& name : compared.exact) {
        if (std::find(stored.begin(), stored.end(), name) == stored.end())
          lost += ir::element_count(deployed.type(deployed.find(name)).shape) / batch;
      }
      subjects.push_back(
          {frontend::executor_for(fuses ? fused : exposed, constants, {{backend}, threads, 0}), stored, report.integers.size(), lost, {}});
      report.integers.push_back({std::string(backend->name()) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads")});
    }
  }

  const auto op_of = [&](const std::string& name) {
    const Node* node = deployed.producer(deployed.find(name));
    return node == nullptr ? std::string("constant") : node->op->name;
  };
  for (std::int64_t b = 0; b < batch_count; ++b) {
    const VerifyBatch images = batches(b);
    std::vector<TensorView> inputs = images.inputs;
    for (const runtime::Tensor& of_output : labels) inputs.push_back(of_output.view());
    trained.run(inputs);
    if (b == 0) {
      for (const std::string& name : constant_names) {
        compare(trained.output(name), constants.find(name)->second.view(), name, "constant", -1, 0, batch, report.integers.front());
      }
    }
    const auto of_training = [&](ValueId value) { return simulation->value(value); };
    if (simulation) {
      simulation->run(images.inputs);
      if (b == 0) simulation->judge().judge_constants(of_training, report.judgements);
      simulation->judge().judge(images.inputs, of_training, report.images, images.count, report.judgements);
    }
    for (Executed& subject : subjects) {
      IntegerComparison& comparison = report.integers[subject.comparison];
      subject.executor.run(images.inputs);
      for (const std::string& name : subject.exact) {
        compare(trained.output(name), subject.executor.output(name), name, op_of(name), report.images, images.count, batch, comparison);
      }
      comparison.not_stored += subject.not_stored * images.count;
      if (!simulation || behind.judged.empty()) continue;
      const auto of_subject = [&](ValueId value) {
        const auto it = behind.judged.find(value);
        return it == behind.judged.end() ? simulation->value(value) : subject.executor.output(it->second);
      };
      simulation->judge().judge(images.inputs, of_subject, report.images, images.count, subject.judgements);
    }
    report.images += images.count;
  }
  for (const Executed& subject : subjects) {
    IntegerComparison& comparison = report.integers[subject.comparison];
    for (const Judgement& judgement : subject.judgements) {
      if (!behind.names.contains(judgement.value)) continue;
      comparison.judged += judgement.elements;
      comparison.judged_wrong += judgement.wrong;
      if (!comparison.first) comparison.first = judgement.first;
    }
  }
  return report;
}

Verification verify(readers::Trained& trained, readers::Deployed& artifact, const runtime::Dataset& test, std::int64_t images,
                    const VerifyOptions& options) {
  if (images == 0) images = test.count();
  const readers::Experiment& experiment = trained.experiment;
  const std::int64_t batch = std::min(experiment.eval_batch, images);
  runtime::Batches batches(test, batch, readers::normalizations(experiment.data, experiment.model), {}, 0);
  const auto load = [&](std::int64_t b) {
    const std::int64_t count = batches.load_evaluation(b);
    return VerifyBatch{batches.inputs(), std::min(count, images - b * batch)};
  };
  return verify(experiment.model, trained.recipe, trained.checkpoint.states, artifact.graph, artifact.constants, load,
                (images + batch - 1) / batch, options);
}

}  // namespace stair::verification
