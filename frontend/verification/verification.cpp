#include "frontend/verification/verification.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "frontend/verification/onnx/subject.h"
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

namespace {

// On the backends and numbers of threads.
std::vector<Subject> executed(const Graph& deployed, const std::vector<std::string>& values, runtime::Tensors& constants,
                              const VerifyOptions& options) {
  const Graph exposed = passes::with_outputs(deployed, values_named(deployed, values));
  // A backend that fuses layers stores no sums, and must be watched as it runs.
  const Graph fused = passes::with_outputs(deployed, values_named(deployed, without_sums(deployed, values)));
  std::vector<Subject> subjects;
  for (const backends::Backend* backend : options.backends) {
    for (const int threads : options.threads) {
      const Graph& graph = backend->channels_last() ? fused : exposed;
      auto executor = std::make_shared<runtime::Executor>(frontend::executor_for(graph, constants, {{backend}, threads, 0}));
      std::set<std::string> stored;
      for (const ir::Output& output : graph.outputs()) stored.insert(output.name);
      subjects.push_back(
          {std::string(backend->name()) + ", " + std::to_string(threads) + (threads == 1 ? " thread" : " threads"),
           [executor](const VerifyBatch& images) { executor->run(images.inputs); },
           [executor, stored](const std::string& value) { return stored.contains(value) ? executor->output(value) : TensorView{}; },
           [&constants](const std::string& value) { return constants.find(value)->second.view(); }});
    }
  }
  return subjects;
}

// The examples from `first` on as the data have them, an input a tensor; behind the last one, that one.
std::vector<runtime::Tensor> examples_of(const runtime::Dataset& data, std::int64_t first, std::int64_t batch) {
  std::vector<runtime::Tensor> all;
  for (const runtime::Examples& examples : data.inputs) {
    ir::Type type = examples.type();
    type.shape.front() = batch;
    std::vector<std::byte> room(examples.bytes());
    runtime::Tensor& tensor = all.emplace_back(type);
    for (std::int64_t i = 0; i < batch; ++i) {
      const std::byte* const from = examples.read(std::min(first + i, data.count() - 1), room.data());
      std::memcpy(tensor.as<std::byte>() + static_cast<std::size_t>(i) * examples.bytes(), from, examples.bytes());
    }
  }
  return all;
}

// The first `images` of the data, or all, in such batches; `with_data`: also as they are.
struct TestImages {
  TestImages(const readers::Experiment& experiment, const runtime::Dataset& its_test, std::int64_t count, std::int64_t largest_batch,
             bool its_with_data)
      : test(its_test),
        images(count == 0 ? its_test.count() : count),
        batch(std::min({experiment.eval_batch, largest_batch, images})),
        with_data(its_with_data),
        batches(its_test, batch, readers::normalizations(experiment.data, experiment.model), {}, 0) {}

  std::int64_t batch_count() const { return (images + batch - 1) / batch; }
  VerifyBatch load(std::int64_t b) {
    const std::int64_t count = batches.load_evaluation(b);
    if (with_data) data = examples_of(test, b * batch, batch);
    return {batches.inputs(), std::min(count, images - b * batch), runtime::views_of(data)};
  }

  const runtime::Dataset& test;
  std::int64_t images, batch;
  bool with_data;
  runtime::Batches batches;
  std::vector<runtime::Tensor> data;
};

}  // namespace

Verification verify(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const Graph& artifact,
                    const Subjects& make_subjects, const VerifyBatches& batches, std::int64_t batch_count, int threads, bool simulate) {
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
  runtime::initialize_states(training, 0, states);
  runtime::Executor trained =
      frontend::executor_for(passes::with_outputs(training, values_named(training, watched)), states, {backends::all(), threads, 0});
  std::vector<runtime::Tensor> labels;  // which nothing that is compared depends on
  for (std::size_t i = model.inputs().size(); i < trained.graph().inputs().size(); ++i)
    labels.emplace_back(trained.graph().type(trained.graph().inputs()[i]));

  std::optional<Simulation> simulation;
  if (simulate) simulation.emplace(ir::with_batch(model, batch), recipe, states, threads);
  const Behind behind = judged_behind_floats(deployed, compared, simulation ? &*simulation : nullptr);
  report.unchecked = behind.unchecked;

  std::vector<std::string> asked = compared.exact;
  for (const auto& [value, name] : behind.judged) asked.push_back(name);
  const std::vector<Subject> subjects = make_subjects(deployed, asked);
  std::vector<std::vector<Judgement>> judgements(subjects.size());
  report.integers.push_back({"constants"});
  for (const Subject& subject : subjects) report.integers.push_back({subject.name});

  const auto op_of = [&](const std::string& name) {
    const Node* node = deployed.producer(deployed.find(name));
    return node == nullptr ? std::string("constant") : node->op->name;
  };
  for (std::int64_t b = 0; b < batch_count; ++b) {
    const VerifyBatch images = batches(b);
    std::vector<TensorView> inputs = images.inputs;
    for (const runtime::Tensor& of_output : labels) inputs.push_back(of_output.view());
    trained.run(inputs);
    const auto of_training = [&](ValueId value) { return simulation->value(value); };
    if (simulation) {
      simulation->run(images.inputs);
      if (b == 0) simulation->judge().judge_constants(of_training, report.judgements);
      simulation->judge().judge(images.inputs, of_training, report.images, images.count, report.judgements);
    }
    for (std::size_t s = 0; s < subjects.size(); ++s) {
      const Subject& subject = subjects[s];
      IntegerComparison& comparison = report.integers[s + 1];
      subject.run(images);
      for (const std::string& name : b == 0 && s == 0 ? constant_names : std::vector<std::string>{}) {
        const TensorView constant = subject.constant(name);
        if (constant.data != nullptr) compare(trained.output(name), constant, name, "constant", -1, 0, batch, report.integers.front());
      }
      for (const std::string& name : compared.exact) {
        const TensorView found = subject.value(name);
        if (found.data == nullptr) {
          comparison.not_stored += ir::element_count(deployed.type(deployed.find(name)).shape) / batch * images.count;
        } else {
          compare(trained.output(name), found, name, op_of(name), report.images, images.count, batch, comparison);
        }
      }
      if (!simulation || behind.judged.empty()) continue;
      const auto of_subject = [&](ValueId value) {
        const auto it = behind.judged.find(value);
        return it == behind.judged.end() ? simulation->value(value) : subject.value(it->second);
      };
      simulation->judge().judge(images.inputs, of_subject, report.images, images.count, judgements[s]);
    }
    report.images += images.count;
  }
  for (std::size_t s = 0; s < subjects.size(); ++s) {
    IntegerComparison& comparison = report.integers[s + 1];
    for (const Judgement& judgement : judgements[s]) {
      if (!behind.names.contains(judgement.value)) continue;
      comparison.judged += judgement.elements;
      comparison.judged_wrong += judgement.wrong;
      if (!comparison.first) comparison.first = judgement.first;
    }
  }
  return report;
}

Verification verify(const Graph& model, const passes::Recipe& recipe, runtime::Tensors& states, const Graph& artifact,
                    runtime::Tensors& constants, const VerifyBatches& batches, std::int64_t batch_count, const VerifyOptions& options) {
  const auto subjects = [&](const Graph& deployed, const std::vector<std::string>& values) {
    return executed(deployed, values, constants, options);
  };
  const int most_threads = *std::max_element(options.threads.begin(), options.threads.end());
  return verify(model, recipe, states, artifact, subjects, batches, batch_count, most_threads, options.simulate);
}

Verification verify(readers::Trained& trained, readers::Deployed& artifact, const runtime::Dataset& test, std::int64_t images,
                    const VerifyOptions& options) {
  TestImages all(trained.experiment, test, images, trained.experiment.eval_batch, false);
  return verify(
      trained.experiment.model, trained.recipe, trained.checkpoint.states, artifact.graph, artifact.constants,
      [&](std::int64_t b) { return all.load(b); }, all.batch_count(), options);
}

Verification verify(readers::Trained& trained, const frontend::onnx::Model& file, const runtime::Dataset& test, std::int64_t images,
                    bool simulate) {
  const frontend::Deployment deployment = frontend::deploy(trained.experiment.model, trained.recipe, trained.checkpoint.states);
  const auto subjects = [&](const Graph& deployed, const std::vector<std::string>& values) {
    return std::vector<Subject>{onnx::subject_of(file, deployed, values)};
  };
  TestImages all(trained.experiment, test, images, onnx::largest_batch, onnx::takes_data(file));
  return verify(
      trained.experiment.model, trained.recipe, trained.checkpoint.states, deployment.graph, subjects,
      [&](std::int64_t b) { return all.load(b); }, all.batch_count(), 2, simulate);
}

}  // namespace stair::verification
