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

std::string file_of_images(const runtime::Dataset& dataset, const runtime::DatasetFiles& files) {
  return files.contains("images") ? files.at("images").front() : dataset.source;
}

ir::Shape example_of(const ir::Shape& shape) {
  return {shape.begin() + 1, shape.end()};
}

// Parts of the same data set have the same elements and classes.
void check_alike(const runtime::Dataset& part, const runtime::DatasetFiles& files, const runtime::Dataset& train) {
  check_elements(part, files, train.form());
  if (part.classes == train.classes) return;
  throw Error(fmt::format("{}: has the classes '{}', the training data ({}) '{}'", part.source, fmt::join(part.classes, "', '"),
                          train.source, fmt::join(train.classes, "', '")));
}

void check_images_fit(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const ir::Graph& model) {
  const ir::Shape expected = model.type(model.inputs().front()).shape;
  const ir::Shape& found = dataset.images.type().shape;
  if (example_of(expected) == example_of(found)) return;
  throw Error(file_of_images(dataset, files) + ": its images are " + ir::to_string(example_of(found)) + ", the model's input '" +
              model.value(model.inputs().front()).name + "' expects " + ir::to_string(example_of(expected)));
}

runtime::Dataset with_labels(const runtime::Dataset& all, const std::vector<std::int64_t>& wanted) {
  const ir::Type& labels = all.labels.type();
  if (labels.dtype != ir::DType::i32 || labels.shape.size() != 1)
    throw Error(fmt::format("{}: its labels are {}, expected a class for each example where 'only' says which are taken", all.source,
                            to_string(labels)));
  std::vector<std::int64_t> taken;
  for (std::int64_t i = 0; i < all.count(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), all.labels.as<std::int32_t>()[i]) != wanted.end()) taken.push_back(i);
  }
  if (taken.empty()) throw Error(fmt::format("{}: no example has one of the labels {}", all.source, fmt::join(wanted, ", ")));
  return runtime::chosen_examples(all, taken);
}

void fit_labels(runtime::Dataset& dataset, passes::Target target, const ir::Type& output) {
  if (target == passes::Target::values) runtime::make_values(dataset);
  const ir::Type& found = dataset.labels.type();
  const ir::Type expected = target == passes::Target::input ? ir::Type{ir::DType::i32, {1}} : passes::type_of(target, output);
  if (found.dtype != expected.dtype || example_of(found.shape) != example_of(expected.shape)) {
    ir::Shape of_all = expected.shape;
    of_all.front() = dataset.count();
    throw Error(
        fmt::format("{}: its labels are {}, expected {}", dataset.source, to_string(found), to_string(ir::Type{expected.dtype, of_all})));
  }
  if (target == passes::Target::classes) runtime::check_labels(dataset, output.shape[1]);
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
  ir::Shape example = model.type(model.inputs().front()).shape;
  example.erase(example.begin());
  runtime::Dataset dataset = runtime::load_dataset(experiment.data.format, part.files, part.settings, example, windows);
  if (dataset.skipped > 0)
    fmt::print(stderr, "{}: {} damaged pictures left out, {} taken\n", file_of_images(dataset, part.files), dataset.skipped,
               dataset.count());
  check_images_fit(dataset, part.files, model);
  if (!part.only.empty()) dataset = with_labels(dataset, part.only);
  fit_labels(dataset, experiment.target(), model.type(model.outputs().front().value));
  return dataset;
}

Data load_data(const readers::Experiment& experiment, bool with_training) {
  const readers::DataFiles& files = experiment.data;
  Data data;
  data.test = load_part(experiment, files.test, experiment.model);
  if (!with_training) return data;
  data.train = load_part(experiment, files.train, experiment.model, runtime::cuts_windows(experiment.augmentation));
  check_alike(data.test, files.test.files, data.train);
  if (files.validation) {
    data.validation = load_part(experiment, *files.validation, experiment.model);
    check_alike(*data.validation, files.validation->files, data.train);
  } else if (files.validation_share > 0) {
    cut_validation(data, files.validation_share, experiment.seed, experiment.source);
  }
  if (experiment.batch > data.train.count()) {
    throw Error(fmt::format("{} /batch: found {}, the training data has {} images ({})", experiment.source, experiment.batch,
                            data.train.count(), data.train.source));
  }
  return data;
}

void check_elements(const runtime::Dataset& dataset, const runtime::DatasetFiles& files, const runtime::ExampleForm& trained_on) {
  const runtime::ExampleForm found = dataset.form();
  if (!trained_on.element.empty() && found.element != trained_on.element) {
    throw Error(fmt::format("{}: its images are {}, the model is trained on {}; u8 is divided by 255, f32 isn't",
                            file_of_images(dataset, files), found.element, trained_on.element));
  }
  if (!trained_on.shorter_side || !found.shorter_side || found.shorter_side == trained_on.shorter_side) return;
  throw Error(fmt::format("{}: its pictures are scaled to a shorter side of {}, those that the model is trained on to {}",
                          file_of_images(dataset, files), *found.shorter_side, *trained_on.shorter_side));
}

const runtime::Normalization& same_as_trained(const runtime::Normalization& trained, const readers::DataFiles& data,
                                              const std::string& source) {
  const runtime::Normalization& given = data.normalization;
  const bool says = !given.mean.empty() || !given.std.empty();
  if (!says || runtime::same_normalization(given, trained)) return trained;
  throw Error(fmt::format("{} /data: normalizes with mean [{}] and std [{}], the model was trained with mean [{}] and std [{}]", source,
                          fmt::join(given.mean, ", "), fmt::join(given.std, ", "), fmt::join(trained.mean, ", "),
                          fmt::join(trained.std, ", ")));
}

runtime::Measured measured(const readers::Experiment& experiment, const ir::Graph& graph, const runtime::Dataset& dataset) {
  runtime::Measured all{graph.type(graph.outputs().front().value), dataset.labels.type()};
  all.outputs.shape.front() = dataset.count();
  all.labelled = experiment.target() == passes::Target::input;
  if (all.labelled) all.targets = {ir::DType::f32, all.outputs.shape};
  return all;
}

std::vector<runtime::Counts> count(runtime::Executor& executor, runtime::Batches& batches, const readers::Experiment& experiment,
                                   std::int64_t first, std::int64_t stride) {
  const runtime::Dataset& dataset = batches.dataset();
  runtime::Measured all = measured(experiment, executor.graph(), dataset);
  std::vector<runtime::Counts> counts;
  for (const readers::ChosenMetric& chosen : experiment.metrics) {
    all.options = chosen.options;
    counts.emplace_back(static_cast<std::size_t>(chosen.metric->counts(all)));
  }
  const ir::TensorView inputs[] = {batches.images()};
  for (std::int64_t b = first; b < batches.evaluation_batches(); b += stride) {
    const std::int64_t images = batches.load_evaluation(b);
    executor.run(inputs);
    runtime::Evaluated some;
    some.outputs = executor.output(executor.graph().outputs().front().name);
    some.targets = all.labelled ? batches.images() : batches.labels();
    some.labels = all.labelled ? batches.labels().as<std::int32_t>() : nullptr;
    some.first = b * batches.type().shape.front();
    some.count = images;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      all.options = experiment.metrics[i].options;
      experiment.metrics[i].metric->add(all, some, counts[i]);
    }
  }
  return counts;
}

std::vector<runtime::Score> finish(const runtime::Measured& all, const std::vector<runtime::Counts>& counts,
                                   const readers::Metrics& metrics) {
  runtime::Measured whole = all;
  std::vector<runtime::Score> scores;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    whole.options = metrics[i].options;
    scores.push_back(metrics[i].metric->finish(whole, counts[i]));
  }
  return scores;
}

std::vector<runtime::Score> measure(runtime::Executor executor, const runtime::Dataset& test, std::int64_t batch,
                                    const runtime::Normalization& normalization, const readers::Experiment& experiment) {
  runtime::Batches batches(test, batch, normalization, {}, 0);
  return finish(measured(experiment, executor.graph(), test), count(executor, batches, experiment, 0, 1), experiment.metrics);
}

}  // namespace stair::stages
