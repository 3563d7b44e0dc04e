#include "frontend/bench/benchmark.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "frontend/first_values.h"
#include "frontend/readers/deployed.h"
#include "ir/index_inputs.h"
#include "ir/op.h"
#include "ir/random.h"
#include "ir/rebatch.h"
#include "runtime/memory.h"

namespace stair::bench {
namespace {

constexpr std::int64_t calibration_batch = 4;

// Every class in turn.
runtime::Tensor labels_of(const ir::Graph& graph, ir::ValueId id, std::int64_t classes) {
  runtime::Tensor labels(graph.type(id));
  for (std::int64_t i = 0; i < labels.count(); ++i) labels.as<std::int32_t>()[i] = static_cast<std::int32_t>(i % classes);
  return labels;
}

// Uniform in [0, 1) as the pictures of a data set are, or every index in turn.
runtime::Tensor random_images(const ir::Graph& graph, ir::ValueId id) {
  if (graph.type(id).dtype == ir::DType::i32) return labels_of(graph, id, ir::rows_of(graph, id));
  runtime::Tensor images(graph.type(id));
  for (std::int64_t i = 0; i < images.count(); ++i) {
    images.as<float>()[i] = ir::random_uniform(0, static_cast<std::uint64_t>(id), 0, static_cast<std::uint64_t>(i));
  }
  return images;
}

bool is_model_input(const ir::Graph& graph, ir::ValueId id) {
  return ir::is_float(graph.type(id).dtype) || ir::rows_of(graph, id) > 0;
}

// All inputs of the graph that a model reads.
struct RandomInputs {
  explicit RandomInputs(const ir::Graph& graph) {
    for (const ir::ValueId id : graph.inputs()) {
      if (!is_model_input(graph, id)) continue;  // labels
      tensors.push_back(random_images(graph, id));
      views.push_back(tensors.back().view());
    }
  }
  std::vector<runtime::Tensor> tensors;
  std::vector<ir::TensorView> views;
};

// The fastest of the peaks that holds; they are sorted by speed.
template <class Holds>
const runtime::Peak* fastest(const std::vector<runtime::Peak>& peaks, const Holds& holds) {
  const auto it = std::find_if(peaks.rbegin(), peaks.rend(), holds);
  return it == peaks.rend() ? nullptr : &*it;
}

// Of the instruction set that the kernel says: for its elements, or else for others.
const runtime::Peak* peak_of(std::string_view isa, bool on_floats, const std::vector<runtime::Peak>& peaks) {
  using Elements = runtime::PeakLoop::Elements;
  const Elements elements = on_floats ? Elements::float32 : Elements::int8;
  const runtime::Peak* exact = fastest(peaks, [&](const runtime::Peak& peak) { return peak.isa == isa && peak.elements == elements; });
  return exact != nullptr ? exact : fastest(peaks, [&](const runtime::Peak& peak) { return peak.isa == isa; });
}

bool reads_floats(const ir::Graph& graph, const ir::Node& node) {
  return !node.operands.empty() && ir::is_float(graph.type(node.operands.front()).dtype);
}

}  // namespace

std::vector<runtime::Tensor> inputs_of(const Subject& subject) {
  std::vector<runtime::Tensor> inputs;
  for (const ir::ValueId id : subject.graph.inputs()) {
    const bool images = is_model_input(subject.graph, id);
    inputs.push_back(images ? random_images(subject.graph, id) : labels_of(subject.graph, id, subject.classes));
  }
  return inputs;
}

Subject untrained_subject(const ir::Graph& model, const passes::Recipe& recipe, std::int64_t batch) {
  Subject subject{model.name, batch};
  ir::Graph watching = passes::run(passes::calibration(recipe), ir::with_batch(model, calibration_batch));
  runtime::Tensors states;
  runtime::initialize_states(watching, 0, states);
  runtime::initialize_states(model, 0, states);
  const RandomInputs inputs(watching);
  frontend::give_first_values(model, recipe, inputs.views, states);
  frontend::executor_for(std::move(watching), states, {}).run(inputs.views);
  frontend::Deployment deployment = frontend::deploy(model, recipe, states);
  subject.recipe = passes::to_json(recipe);
  subject.note = "initial weights, ranges calibrated on random data";
  subject.graph = ir::with_batch(deployment.graph, batch);
  subject.states = std::move(deployment.constants);
  return subject;
}

Subject float_subject(const ir::Graph& model, std::int64_t batch) {
  Subject subject{model.name, batch};
  subject.note = "initial weights";
  subject.graph = passes::run(passes::float_deployment(), ir::with_batch(model, batch));
  runtime::initialize_states(subject.graph, 0, subject.states);
  return subject;
}

Subject artifact_subject(const std::string& path, std::int64_t batch) {
  readers::Deployed artifact = readers::load_deployed(path);
  Subject subject{path, batch};
  subject.recipe = artifact.recipe;
  subject.note = "weights and ranges of the artifact";
  subject.graph = readers::at_batch(artifact, batch);
  subject.states = std::move(artifact.constants);
  return subject;
}

Subject training_subject(const ir::Graph& model, const std::optional<passes::Recipe>& recipe, std::int64_t batch) {
  Subject subject{model.name, batch, true};
  const ir::Attributes optimizer{{"optimizer", ir::Object({{"learning_rate", 1e-3}, {"momentum", 0.9}})}};
  const passes::Pipeline pipeline = recipe ? passes::quantized_training(*recipe, {}, {}, optimizer) : passes::float_training({}, optimizer);
  if (recipe) subject.recipe = passes::to_json(*recipe);
  subject.note = "training step from initial weights";
  subject.graph = passes::run(pipeline, ir::with_batch(model, batch));  // which looks at the output
  subject.classes = model.type(model.outputs().front().value).shape[1];
  if (recipe) {
    runtime::initialize_states(model, 0, subject.states);
    frontend::give_first_values(model, *recipe, RandomInputs(subject.graph).views, subject.states);
  }
  runtime::initialize_states(subject.graph, 0, subject.states);
  return subject;
}

std::vector<Work> work_by_step(const runtime::Executor& executor) {
  const ir::Graph& graph = executor.graph();
  const std::vector<runtime::Executor::Assignment>& assignments = executor.assignments();
  constexpr std::size_t outside = ~std::size_t{0};
  std::vector<std::set<std::size_t>> readers(graph.values().size());  // steps that read the value
  for (const ir::Output& output : graph.outputs()) readers[static_cast<std::size_t>(output.value)].insert(outside);
  for (const ir::Update& update : graph.updates()) readers[static_cast<std::size_t>(update.value)].insert(outside);
  std::vector<Work> work(assignments.size());
  for (std::size_t step = 0; step < assignments.size(); ++step) {
    for (const ir::NodeId id : assignments[step].nodes) {
      work[step].multiply_accumulates += ir::multiply_accumulates(graph, graph.node(id));
      for (const ir::ValueId operand : graph.node(id).operands) {
        if (operand != ir::absent) readers[static_cast<std::size_t>(operand)].insert(step);
      }
    }
  }
  for (std::size_t step = 0; step < assignments.size(); ++step) {
    for (const ir::NodeId id : assignments[step].nodes) {
      for (const ir::ValueId result : graph.node(id).results) {
        std::set<std::size_t>& reads = readers[static_cast<std::size_t>(result)];
        reads.erase(step);
        if (!reads.empty()) work[step].bytes += static_cast<std::int64_t>(ir::byte_count(graph.type(result)));
      }
    }
  }
  std::vector<bool> constant(readers.size(), false);
  for (const ir::State& state : graph.states()) constant[static_cast<std::size_t>(state.value)] = state.role == ir::StateRole::constant;
  for (std::size_t value = 0; value < readers.size(); ++value) {
    for (const std::size_t step : readers[value]) {
      if (step == outside) continue;
      (constant[value] ? work[step].constants : work[step].bytes) +=
          static_cast<std::int64_t>(ir::byte_count(graph.type(static_cast<ir::ValueId>(value))));
    }
  }
  return work;
}

Benchmark run_benchmark(Subject& subject, const BenchmarkOptions& options) {
  Benchmark made;
  runtime::Executor executor = frontend::executor_for(subject.graph, subject.states, options.compile);
  const std::vector<runtime::Tensor> inputs = inputs_of(subject);
  std::vector<ir::TensorView> views;
  for (const runtime::Tensor& input : inputs) views.push_back(input.view());
  made.peaks = runtime::measure_peaks(options.compile.threads);
  made.latency = runtime::measure_latency(executor, views, options.time);
  const std::vector<double> medians = runtime::measure_steps(executor, views, options.time);
  made.peak_rss_mib = runtime::peak_rss_mib();  // before the arrays of the next line count
  made.memory_gb_per_s = runtime::measure_memory_speed(options.compile.threads);
  made.arena_bytes = executor.arena_bytes();
  for (const auto& [name, tensor] : subject.states) made.state_bytes += tensor.bytes();

  const std::vector<Work> work = work_by_step(executor);
  std::vector<double> operations_on(made.peaks.size(), 0);
  double at_peak_ms = 0;
  for (std::size_t step = 0; step < medians.size(); ++step) {
    const runtime::Executor::Assignment& assignment = executor.assignments()[step];
    const ir::Graph& graph = executor.graph();
    const ir::Node& node = graph.node(assignment.nodes.back());
    const auto constants = assignment.packed_bytes == 0 ? work[step].constants : static_cast<std::int64_t>(assignment.packed_bytes);
    StepTime time{assignment,
                  medians[step],
                  2 * static_cast<double>(work[step].multiply_accumulates),
                  static_cast<double>(work[step].bytes + constants),
                  {}};
    made.packed_bytes += assignment.packed_bytes;
    made.operations += time.operations;
    const runtime::Peak* peak = peak_of(assignment.isa, reads_floats(graph, node), made.peaks);
    if (peak != nullptr) {
      time.peak = *peak;
      operations_on[static_cast<std::size_t>(peak - made.peaks.data())] += time.operations;
      at_peak_ms += time.operations / (1e6 * peak->gop_per_s);
    }
    made.steps.push_back(std::move(time));
  }
  const auto most = std::max_element(operations_on.begin(), operations_on.end());
  if (most != operations_on.end() && *most > 0) made.peak = made.peaks[static_cast<std::size_t>(most - operations_on.begin())];
  made.peak_fraction = at_peak_ms / made.latency.median_ms;
  return made;
}

}  // namespace stair::bench
