#include "frontend/stages/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <utility>

#include "ir/error.h"
#include "ir/random.h"
#include "runtime/augmentation.h"

namespace stair::stages {
namespace {

ir::Shape example_of(const ir::Shape& shape) {
  return {shape.begin() + 1, shape.end()};
}

// Parts of the same data set have the same elements and classes.
void check_alike(const runtime::Dataset& part, const runtime::Dataset& train) {
  check_elements(part, train.forms());
  if (part.classes == train.classes) return;
  throw Error(fmt::format("{}: has the classes '{}', the training data ({}) '{}'", part.source, fmt::join(part.classes, "', '"),
                          train.source, fmt::join(train.classes, "', '")));
}

void check_images_fit(const runtime::Dataset& dataset, const ir::Graph& model) {
  for (std::size_t i = 0; i < dataset.inputs.size(); ++i) {
    const ir::Value& input = model.value(model.inputs()[i]);
    const ir::Shape& found = dataset.inputs[i].type().shape;
    const bool indices = input.type.dtype == ir::DType::i32;
    if (indices != (dataset.inputs[i].type().dtype == ir::DType::i32)) {
      throw Error(fmt::format("{}: holds {}, the model's input '{}' expects {}", dataset.input_files[i],
                              to_string(dataset.inputs[i].type()), input.name,
                              indices ? "indices, as the formats csv, npy and npz hold them" : "u8 or f32"));
    }
    if (example_of(input.type.shape) == example_of(found)) continue;
    throw Error(dataset.input_files[i] + ": its images are " + ir::to_string(example_of(found)) + ", the model's input '" + input.name +
                "' expects " + ir::to_string(example_of(input.type.shape)));
  }
}

runtime::Dataset with_labels(const runtime::Dataset& all, const std::vector<std::int64_t>& wanted) {
  const runtime::Tensor& first = all.labels.front();
  const ir::Type& labels = first.type();
  if (labels.dtype != ir::DType::i32 || labels.shape.size() != 1)
    throw Error(fmt::format("{}: its labels are {}, expected a class for each example where 'only' says which are taken",
                            all.label_files.front(), to_string(labels)));
  std::vector<std::int64_t> taken;
  for (std::int64_t i = 0; i < all.count(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), first.as<std::int32_t>()[i]) != wanted.end()) taken.push_back(i);
  }
  if (taken.empty()) throw Error(fmt::format("{}: no example has one of the labels {}", all.source, fmt::join(wanted, ", ")));
  return runtime::chosen_examples(all, taken);
}

// What a loss is held against lies where it has a meaning.
void check_values(const runtime::Tensor& labels, const readers::Objective& objective, const std::string& file) {
  const std::string& kind = objective.loss.text("kind");
  const ir::Bounds bounds = passes::losses().named(kind, "loss").targets;
  const std::int64_t of_image = labels.count() / labels.type().shape.front();
  for (std::int64_t i = 0; i < labels.count(); ++i) {
    const auto value = static_cast<double>(labels.as<float>()[i]);
    if (ir::holds(bounds, value)) continue;
    const std::string position = of_image == 1 ? "" : fmt::format(" at its element {}", i % of_image);
    throw Error(fmt::format("{}: the value of image {}{} is {}, expected {} for the loss '{}'", file, i / of_image, position, value,
                            to_string(bounds), kind));
  }
}

void check_inputs_as_targets(const runtime::Dataset& train, const readers::Experiment& experiment) {
  const runtime::Normalization of = experiment.normalizations().front();
  for (const readers::Objective& objective : experiment.objectives) {
    if (objective.target() != passes::Target::input) continue;
    const std::string& kind = objective.loss.text("kind");
    const ir::Bounds bounds = passes::losses().named(kind, "loss").targets;
    const runtime::Examples& examples = train.inputs.front();
    const bool bytes = examples.type().dtype == ir::DType::u8;
    for (std::int64_t c = 0; c < examples.type().shape[1]; ++c) {
      const auto channel = static_cast<std::size_t>(c);
      const auto number = [&](const std::vector<double>& all, double none) {
        return all.empty() ? none : all[all.size() == 1 ? 0 : channel];
      };
      const double low = bytes ? 0 : static_cast<double>(examples.extents().channels[channel].low);
      const double high = bytes ? 1 : static_cast<double>(examples.extents().channels[channel].high);
      for (const double end : {low, high}) {
        const double made = (end - number(of.mean, 0)) / number(of.std, 1);
        if (ir::holds(bounds, made)) continue;
        throw Error(fmt::format("{}: with the mean and std of channel {} its values reach {:.6g}, expected {} for the loss '{}'",
                                train.input_files.front(), c, made, to_string(bounds), kind));
      }
    }
  }
}

void fit_labels(runtime::Dataset& dataset, std::size_t number, const readers::Objective& objective, const ir::Type& output) {
  const passes::Target target = objective.target();
  runtime::Tensor& labels = dataset.labels[number];
  const std::string& file = dataset.label_files[number];
  if (target == passes::Target::values) labels = runtime::as_values(labels);
  const ir::Type& found = labels.type();
  const ir::Type expected = target == passes::Target::input ? ir::Type{ir::DType::i32, {1}} : passes::type_of(target, output);
  if (found.dtype != expected.dtype || example_of(found.shape) != example_of(expected.shape)) {
    ir::Shape of_all = expected.shape;
    of_all.front() = dataset.count();
    throw Error(fmt::format("{}: its labels are {}, expected {}", file, to_string(found), to_string(ir::Type{expected.dtype, of_all})));
  }
  if (target == passes::Target::classes) runtime::check_labels(labels, output.shape[1], file);
  if (target == passes::Target::values) check_values(labels, objective, file);
}

void cut_validation(Data& data, double share, std::uint64_t seed, const std::string& source) {
  constexpr std::uint64_t cutting = 100;  // stream of random numbers
  const std::int64_t count = data.train.count();
  const std::int64_t held = std::llround(share * static_cast<double>(count));
  if (held < 1 || held >= count) {
    throw Error(fmt::format("{} /data/validation: {} of {} training examples are {}, expected at least one there and one left", source,
                            share, count, held));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size() - 1; i > 0; --i) std::swap(order[i], order[ir::random_bits(seed, cutting, 0, i) % (i + 1)]);
  std::sort(order.begin(), order.begin() + held);
  std::sort(order.begin() + held, order.end());
  data.validation = runtime::chosen_examples(data.train, {order.begin(), order.begin() + held});
  data.train = runtime::chosen_examples(data.train, {order.begin() + held, order.end()});
}

}  // namespace

runtime::Dataset load_part(const readers::Experiment& experiment, const readers::DataPart& part, const ir::Graph& model, bool windows) {
  runtime::DatasetPart asked;
  try {
    asked = readers::dataset_part(part, model, experiment.labelled_outputs(model));
    runtime::check_part(experiment.data.format, asked);
  } catch (const Error& error) {  // of a model that isn't the experiment's
    throw Error(experiment.source + " /data: " + error.what());
  }
  asked.windows = windows;
  runtime::Dataset dataset = runtime::load_dataset(experiment.data.format, std::move(asked));
  if (dataset.skipped > 0)
    fmt::print(stderr, "{}: {} damaged pictures left out, {} taken\n", dataset.input_files.front(), dataset.skipped, dataset.count());
  check_images_fit(dataset, model);
  if (!part.only.empty()) dataset = with_labels(dataset, part.only);
  for (std::size_t i = 0; i < experiment.objectives.size(); ++i) {
    const readers::Objective& objective = experiment.objectives[i];
    fit_labels(dataset, i, objective, model.type(objective.in(model).value));
  }
  return dataset;
}

Data load_data(const readers::Experiment& experiment, bool with_training) {
  const readers::DataFiles& files = experiment.data;
  Data data;
  data.test = load_part(experiment, files.test, experiment.model);
  if (!with_training) return data;
  data.train = load_part(experiment, files.train, experiment.model, runtime::cuts_windows(experiment.augmentation));
  check_alike(data.test, data.train);
  check_inputs_as_targets(data.train, experiment);
  if (files.validation) {
    data.validation = load_part(experiment, *files.validation, experiment.model);
    check_alike(*data.validation, data.train);
  } else if (files.validation_share > 0) {
    cut_validation(data, files.validation_share, experiment.seed, experiment.source);
  }
  if (experiment.batch > data.train.count()) {
    throw Error(fmt::format("{} /batch: found {}, the training data has {} images ({})", experiment.source, experiment.batch,
                            data.train.count(), data.train.source));
  }
  return data;
}

void check_elements(const runtime::Dataset& dataset, const std::vector<runtime::ExampleForm>& trained_on) {
  const std::vector<runtime::ExampleForm> all = dataset.forms();
  for (std::size_t i = 0; i < std::min(all.size(), trained_on.size()); ++i) {
    const runtime::ExampleForm& found = all[i];
    const runtime::ExampleForm& before = trained_on[i];
    if (!before.element.empty() && found.element != before.element) {
      throw Error(fmt::format("{}: its images are {}, the model is trained on {}; u8 is divided by 255, f32 isn't", dataset.input_files[i],
                              found.element, before.element));
    }
    if (!before.shorter_side || !found.shorter_side || found.shorter_side == before.shorter_side) continue;
    throw Error(fmt::format("{}: its pictures are scaled to a shorter side of {}, those that the model is trained on to {}",
                            dataset.input_files[i], *found.shorter_side, *before.shorter_side));
  }
}

void check_same_as_trained(const runtime::Normalizations& trained, const ir::Graph& model, const readers::DataFiles& data,
                           const std::string& source) {
  if (!data.mean.says() && !data.std.says()) return;
  const runtime::Normalizations given = readers::normalizations(data, model);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (runtime::same_normalization(given[i], trained[i])) continue;
    const std::string of = given.size() > 1 ? " '" + model.value(model.inputs()[i]).name + "'" : "";
    throw Error(fmt::format("{} /data: normalizes{} with mean [{}] and std [{}], the model was trained with mean [{}] and std [{}]", source,
                            of, fmt::join(given[i].mean, ", "), fmt::join(given[i].std, ", "), fmt::join(trained[i].mean, ", "),
                            fmt::join(trained[i].std, ", ")));
  }
}

std::vector<runtime::Measured> measured(const readers::Experiment& experiment, const ir::Graph& graph, const runtime::Dataset& dataset) {
  std::vector<runtime::Measured> by_metric;
  for (const readers::ChosenMetric& chosen : experiment.metrics) {
    const readers::Objective& objective = experiment.objectives[chosen.objective];
    runtime::Measured all{graph.type(objective.in(graph).value), dataset.labels[chosen.objective].type()};
    all.outputs.shape.front() = dataset.count();
    all.labelled = objective.target() == passes::Target::input;
    if (all.labelled) all.targets = {ir::DType::f32, all.outputs.shape};
    all.options = chosen.options;
    by_metric.push_back(std::move(all));
  }
  return by_metric;
}

std::vector<runtime::Counts> count(runtime::Executor& executor, runtime::Batches& batches, const readers::Experiment& experiment,
                                   std::int64_t first, std::int64_t stride) {
  const std::vector<runtime::Measured> all = measured(experiment, executor.graph(), batches.dataset());
  std::vector<runtime::Counts> counts;
  for (std::size_t i = 0; i < all.size(); ++i) counts.emplace_back(static_cast<std::size_t>(experiment.metrics[i].metric->counts(all[i])));
  const std::vector<ir::TensorView> inputs = batches.inputs();
  for (std::int64_t b = first; b < batches.evaluation_batches(); b += stride) {
    const std::int64_t images = batches.load_evaluation(b);
    executor.run(inputs);
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::size_t objective = experiment.metrics[i].objective;
      const ir::TensorView labels = batches.loaded().labels[objective].view();
      runtime::Evaluated some;
      some.outputs = executor.output(experiment.objectives[objective].in(executor.graph()).name);
      some.targets = all[i].labelled ? inputs.front() : labels;
      some.labels = all[i].labelled ? labels.as<std::int32_t>() : nullptr;
      some.first = b * batches.size();
      some.count = images;
      experiment.metrics[i].metric->add(all[i], some, counts[i]);
    }
  }
  return counts;
}

std::vector<runtime::Score> finish(const std::vector<runtime::Measured>& all, const std::vector<runtime::Counts>& counts,
                                   const readers::Metrics& metrics) {
  std::vector<runtime::Score> scores;
  for (std::size_t i = 0; i < counts.size(); ++i) scores.push_back(metrics[i].metric->finish(all[i], counts[i]));
  return scores;
}

std::vector<runtime::Score> measure(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch,
                                    const runtime::Normalizations& normalizations, const readers::Experiment& experiment) {
  runtime::Batches batches(test, batch, normalizations, {}, 0);
  return finish(measured(experiment, executor.graph(), test), count(executor, batches, experiment, 0, 1), experiment.metrics);
}

}  // namespace stair::stages
